#pragma once

#include <map>
#include <string>
#include <string_view>

namespace ringlog {

// Reads Java's properties format (java.util.Properties.load): `key=value`, `key: value` or
// `key value` lines, comments from # or !, a backslash before a line's end to go on, \t \n \r \f
// and \uXXXX (written as UTF-8). The last of several values of a key wins. Never fails: what Java
// refuses, a bad \u, is kept as it stands.
std::map<std::string, std::string> parse_properties(std::string_view text);

}  // namespace ringlog
