#include "io/socket_address.h"

#include <gtest/gtest.h>

namespace ringlog::io {
namespace {

TEST(SocketAddressTest, IsReadAndWrittenTheSameWay) {
  for (const std::string text : {"127.0.0.1:9092", "0.0.0.0:0", "[::1]:9092", "[::]:65535",
                                 "[2001:db8::1]:1", "unix:data/ringlog.sock"}) {
    const auto parsed = socket_address::parse(text);
    ASSERT_TRUE(parsed.ok()) << parsed.failure().message;
    EXPECT_EQ(parsed->text(), text);
  }
  EXPECT_EQ(socket_address::parse("127.0.0.1:9092")->port(), 9092);
  EXPECT_EQ(socket_address::parse("[::1]:9092")->host(), "::1");
  EXPECT_EQ(socket_address::parse("unix:/a/b")->path(), "/a/b");
}

TEST(SocketAddressTest, AnIpv4AddressInsideIpv6IsThatAddress) {
  EXPECT_EQ(socket_address::parse("[::ffff:10.1.2.3]:80")->text(), "10.1.2.3:80");
  EXPECT_EQ(socket_address::parse("[::ffff:10.1.2.3]:80").value(),
            socket_address::parse("10.1.2.3:80").value());
}

TEST(SocketAddressTest, WhatIsNoneIsRefusedByName) {
  for (const std::string text :
       {"", ":", ":9092", "9092", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:9092x", "::1:9092", "[::1]", "[127.0.0.1]:1", "[::1:9092", "localhost:9092",
        "unix:", "256.0.0.1:1"}) {
    const auto parsed = socket_address::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.code(), error_code::invalid_argument);
  }
}

TEST(SocketAddressTest, ANameTooLongForASocketIsRefused) {
  const auto form = socket_address::of_path("/tmp/" + std::string(120, 'n')).to_system();
  EXPECT_NE(form.failure().message.find("choose a shorter one"), std::string::npos);
  EXPECT_FALSE(socket_address::of_path(std::string(120, 'n')).to_system().ok());
}

}  // namespace
}  // namespace ringlog::io
