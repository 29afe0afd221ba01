#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string_view>

namespace ringlog::app {

// How a dump is written.
enum class dump_format {
  text,  // as Kafka's DumpLogSegments: "offset: 5 position: 10"
  json,  // one object per line
};

// Prints what a file holds, entry by entry. Fields keep their order. In text a null reads
// "OptionalLong.empty", as where Kafka prints an absent number.
class entry_writer {
 public:
  using fields = nlohmann::ordered_json;

  entry_writer(std::ostream& target, dump_format format) : target_(target), format_(format) {}

  dump_format format() const { return format_; }

  // The heading of a file; in JSON the file's name becomes a field of each entry.
  void begin_file(std::string_view path);

  // `kind` names the entry in JSON, `indent` stands before it in text.
  void entry(std::string_view kind, const fields& values, std::string_view indent = {});

  // A sentence about the file: a note in text, an entry of kind "note" in JSON.
  void note(std::string_view sentence);

 private:
  std::ostream& target_;
  dump_format format_;
  std::string path_;
};

}  // namespace ringlog::app
