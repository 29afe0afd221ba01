#pragma once

// The golden log directories of Kafka 4.3.1 and what a reader must see in them, for tests; the C++
// twin of tests/golden/golden.py. `which` is "clean", "killed" or "torn".
//
// They lie in the shared folder: RINGLOG_SHARED, else ../shared beside the checkout. Where there is
// none, GOLDEN_OR_SKIP() skips the test and says why.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace ringlog::golden {

using json = nlohmann::json;
using bytes = std::optional<std::string>;           // nullopt is Kafka's null
using partition_key = std::pair<std::string, int>;  // topic, partition

inline std::filesystem::path folder() {
  const char* named = std::getenv("RINGLOG_SHARED");
  const auto beside = std::filesystem::path(RINGLOG_SOURCE_DIR).parent_path() / "shared";
  return (named != nullptr ? std::filesystem::path(named) : beside) / "golden";
}

inline bool available() { return std::filesystem::exists(folder() / "README.md"); }

#define GOLDEN_OR_SKIP()             \
  if (!ringlog::golden::available()) \
  GTEST_SKIP() << "no golden data at " << ringlog::golden::folder() << " (RINGLOG_SHARED)"

// An unpacked archive in a directory of its own, removed at the end.
class directory {
 public:
  explicit directory(const std::string& which) {
    std::string name = (std::filesystem::temp_directory_path() / "ringlog-golden-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed: " + name);
    top_ = name;
    const auto archive = folder() / ("kafka-4.3.1-" + which + ".tar.zst");
    const auto command =
        "tar -I zstd -C '" + top_.string() + "' -xSf '" + archive.string() + "'";  // stays sparse
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
  }
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;
  ~directory() { std::filesystem::remove_all(top_); }

  // The Kafka log directory, and one of its partitions, e.g. partition("g.txn", 0).
  [[nodiscard]] std::filesystem::path path() const { return top_ / "data"; }
  [[nodiscard]] std::filesystem::path partition(const std::string& topic, int number) const {
    return path() / (topic + "-" + std::to_string(number));
  }

 private:
  std::filesystem::path top_;
};

struct record {
  std::int64_t offset = 0;
  std::int32_t leader_epoch = 0;
  std::int64_t timestamp_ms = 0;
  bool log_append_time = false;
  bytes key;
  bytes value;                             // null too where value_size is there
  std::optional<std::int64_t> value_size;  // values above 512 bytes: only size and CRC-32C
  std::uint32_t value_crc32c = 0;
  std::vector<std::pair<std::string, bytes>> headers;
};

// One line of batches.txt, index.txt and the like: the file it is about, then its fields.
struct batch {
  std::string file;                           // e.g. "g.txn-0/00000000000000000000.log"
  std::map<std::string, std::string> fields;  // by the names in the first line of batches.txt
  [[nodiscard]] std::int64_t number(const std::string& name) const {
    return std::stoll(fields.at(name));
  }
};

struct time_answer {
  partition_key partition;
  std::int64_t query_timestamp_ms = 0;
  std::int64_t offset = -1;  // -1: no record that late
  std::int64_t timestamp_ms = -1;
  std::optional<std::int32_t> leader_epoch;
};

inline std::string text(const std::string& which, const std::string& name) {
  std::ifstream file(folder() / "expected" / which / name, std::ios::binary);
  if (!file) throw std::runtime_error("no expected file " + which + "/" + name);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

inline std::vector<std::string> lines(const std::string& which, const std::string& name) {
  std::vector<std::string> found;
  std::istringstream all(text(which, name));
  for (std::string line; std::getline(all, line);) found.push_back(line);
  return found;
}

// A whole JSON document: topics.json, offsets.json, producers.json, cluster.json, changes.json.
inline json document(const std::string& which, const std::string& name) {
  return json::parse(text(which, name));
}

// A file of an unpacked directory, whole.
inline byte_buffer read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path.string());
  const std::string all((std::istreambuf_iterator<char>(file)), {});
  return to_buffer(as_bytes(all));
}

// vectors/hashes.json: what Kafka's own hash and number functions answer.
inline json vectors() {
  std::ifstream file(folder() / "vectors" / "hashes.json");
  return json::parse(file);
}

inline byte_buffer from_hex(const std::string& hex) {
  byte_buffer decoded;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    decoded.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return decoded;
}

inline bytes from_base64(const json& value) {
  if (value.is_null()) return std::nullopt;
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string decoded;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char letter : value.get_ref<const std::string&>()) {
    if (letter == '=') break;
    bits = (bits << 6U) | static_cast<std::uint32_t>(alphabet.find(letter));
    if ((held += 6) < 8) continue;
    held -= 8;
    decoded.push_back(static_cast<char>((bits >> static_cast<unsigned>(held)) & 0xffU));
  }
  return decoded;
}

inline record parse_record(const json& line) {
  record read;
  read.offset = line.at("offset");
  read.leader_epoch = line.at("leader_epoch");
  read.timestamp_ms = line.at("timestamp");
  read.log_append_time = line.at("timestamp_type") == "LogAppendTime";
  read.key = from_base64(line.at("key"));
  if (line.contains("value_len")) {
    read.value_size = line.at("value_len").get<std::int64_t>();
    read.value_crc32c = line.at("value_crc32c");
  } else {
    read.value = from_base64(line.at("value"));
  }
  for (const auto& header : line.at("headers")) {
    read.headers.emplace_back(header.at(0).get<std::string>(), from_base64(header.at(1)));
  }
  return read;
}

// Topics with transactions: the only ones that read_committed sees differently.
inline bool has_transactions(const std::string& topic) {
  return topic.find("txn") != std::string::npos || topic.find("foreign") != std::string::npos;
}

// What a consumer sees, by partition, in offset order. A partition without records is left out.
inline std::map<partition_key, std::vector<record>> records(const std::string& which,
                                                            bool read_committed = false) {
  std::map<partition_key, std::vector<record>> found;
  const auto take = [&](const std::string& name, bool transactional_only, bool plain_only) {
    for (const auto& text : lines(which, name)) {
      const auto line = json::parse(text);
      const std::string topic = line.at("topic");
      const bool transactional = has_transactions(topic);
      if ((transactional_only && !transactional) || (plain_only && transactional)) continue;
      found[{topic, line.at("partition").get<int>()}].push_back(parse_record(line));
    }
  };
  take("records.jsonl", false, read_committed);
  if (read_committed) take("records.read_committed.jsonl", true, false);
  for (auto& entry : found) {
    std::sort(entry.second.begin(), entry.second.end(),
              [](const record& left, const record& right) { return left.offset < right.offset; });
  }
  return found;
}

// Every batch of every .log file, as DumpLogSegments lists it.
inline std::vector<batch> batches(const std::string& which) {
  const auto split = [](const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream all(line);
    for (std::string cell; std::getline(all, cell, '\t');) cells.push_back(cell);
    return cells;
  };
  const auto all = lines(which, "batches.txt");
  const auto names = split(all.at(0));
  std::vector<batch> found;
  for (std::size_t row = 1; row < all.size(); ++row) {
    const auto cells = split(all[row]);
    batch one{cells.at(0), {}};
    for (std::size_t cell = 1; cell < cells.size(); ++cell)
      one.fields[names.at(cell)] = cells[cell];
    found.push_back(std::move(one));
  }
  return found;
}

// The lines below each "== FILE" of index.txt, timeindex.txt, txnindex.txt, checkpoints.txt, ...
inline std::map<std::string, std::vector<std::string>> sections(const std::string& which,
                                                                const std::string& name) {
  std::map<std::string, std::vector<std::string>> found;
  std::string file;
  for (const auto& line : lines(which, name)) {
    if (line.rfind("== ", 0) == 0) {
      file = line.substr(3);
      found[file];
    } else {
      found[file].push_back(line);
    }
  }
  return found;
}

inline std::vector<time_answer> offsets_for_times(const std::string& which) {
  std::vector<time_answer> found;
  for (const auto& text : lines(which, "offsets_for_times.jsonl")) {
    const auto line = json::parse(text);
    time_answer answer;
    answer.partition = {line.at("topic").get<std::string>(), line.at("partition").get<int>()};
    answer.query_timestamp_ms = line.at("query_timestamp");
    answer.offset = line.at("offset");
    answer.timestamp_ms = line.at("timestamp");
    if (!line.at("leader_epoch").is_null()) {
      answer.leader_epoch = line.at("leader_epoch").get<std::int32_t>();
    }
    found.push_back(std::move(answer));
  }
  return found;
}

}  // namespace ringlog::golden
