#include "app/entry_writer.h"

#include <ostream>

namespace ringlog::app {

namespace {
// Bytes that are no UTF-8 come out as U+FFFD rather than as an exception.
std::string line_of(const entry_writer::fields& object) {
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}
}  // namespace

void entry_writer::begin_file(std::string_view path) {
  path_ = path;
  if (format_ == dump_format::text) target_ << "Dumping " << path << '\n';
}

void entry_writer::entry(std::string_view kind, const fields& values, std::string_view indent) {
  if (format_ == dump_format::json) {
    fields object{{"file", path_}, {"kind", kind}};
    object.update(values);
    target_ << line_of(object) << '\n';
    return;
  }
  target_ << indent;
  bool first = true;
  for (const auto& [name, value] : values.items()) {
    if (!first) target_ << ' ';
    first = false;
    target_ << name << ": ";
    if (value.is_null()) {
      target_ << "OptionalLong.empty";
    } else if (value.is_string()) {
      target_ << value.get_ref<const std::string&>();
    } else if (value.is_array()) {
      target_ << '[';
      for (std::size_t at = 0; at < value.size(); ++at) {
        target_ << (at == 0 ? "" : ",") << value[at].get<std::string>();
      }
      target_ << ']';
    } else {
      target_ << line_of(value);
    }
  }
  target_ << '\n';
}

void entry_writer::note(std::string_view sentence) {
  if (format_ == dump_format::text) {
    target_ << sentence << '\n';
  } else {
    entry("note", {{"text", sentence}});
  }
}

}  // namespace ringlog::app
