#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace ringlog {

// Lets a map keyed by std::string be asked with a std::string_view without a copy.
struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

// References into a flat map die when it grows; hold a pointer inside the value to keep one.
template <typename Key, typename Value>
using hash_map = boost::unordered_flat_map<Key, Value>;
template <typename Value>
using text_map = boost::unordered_flat_map<std::string, Value, text_hash, std::equal_to<>>;
template <typename Key>
using hash_set = boost::unordered_flat_set<Key>;

}  // namespace ringlog
