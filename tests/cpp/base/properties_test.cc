#include "base/properties.h"

#include <gtest/gtest.h>

namespace ringlog {
namespace {

using properties = std::map<std::string, std::string>;

TEST(PropertiesTest, KeysAndValuesAsJavaReadsThem) {
  EXPECT_EQ(
      parse_properties("a=1\nb: 2\n c 3\r\nd  =  4 4 \ne\n=x\nf=a=b"),
      (properties{
          {"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4 4 "}, {"e", ""}, {"", "x"}, {"f", "a=b"}}));
  EXPECT_EQ(parse_properties("a=1\na=2"), (properties{{"a", "2"}}));
  EXPECT_EQ(parse_properties(""), properties());
}

TEST(PropertiesTest, CommentsAndBlankLines) {
  EXPECT_EQ(parse_properties("# one\\\n! two\n\n   # three\nlog.dirs=/a # not a comment"),
            (properties{{"log.dirs", "/a # not a comment"}}));
}

TEST(PropertiesTest, ContinuationsAndEscapes) {
  EXPECT_EQ(parse_properties("list=a,\\\n    b,\\\r\n c\nnext=1\\\\\nend=2\\"),
            (properties{{"list", "a,b,c"}, {"next", "1\\"}, {"end", "2"}}));
  EXPECT_EQ(parse_properties("a\\ b\\=c=\\t\\u00e9\\u20acx\\:\\q"),
            (properties{{"a b=c", "\t\xc3\xa9\xe2\x82\xacx:q"}}));
  EXPECT_EQ(parse_properties("a=\\u12"), (properties{{"a", "u12"}}));
}

}  // namespace
}  // namespace ringlog
