// Configs that Kafka does not know: where they are kept, and that no crash comes between them and
// what they are set on.

#include "broker/own_configs.h"

#include <gtest/gtest.h>

#include "broker/broker_machine.h"

namespace ringlog::broker {
namespace {

constexpr const char* name = "ringlog.durability";
constexpr const char* path = "/ringlog.properties";

class own_configs_test : public testing::Test {
 protected:
  own_configs_test() { start(); }

  void start() {
    const status started = computer.start();
    ASSERT_TRUE(started.ok()) << started.failure().message;
  }

  std::optional<std::string> set_on(const std::string& topic) {
    const auto entries = computer.facade().describe_configs({resource_type::topic, topic});
    if (!entries.ok()) return "no topic";
    for (const config_entry& entry : *entries) {
      if (entry.name != name) continue;
      if (entry.source == config_source::topic_config) return entry.value;
    }
    return std::nullopt;
  }

  std::string file() {
    const auto content = io::read_file(computer.disk, path, limits::settings_bytes_max);
    return content.ok() ? to_string(*content) : std::string();
  }

  // Runs `begin` and switches the machine off at each moment of it in turn, until it comes through;
  // `check` is told after the next start whether it had been answered.
  template <typename Begin, typename Check>
  void crash_everywhere(Begin begin, Check check) {
    for (std::uint64_t moment = 0;; ++moment) {
      SCOPED_TRACE(moment);
      const std::uint64_t at = computer.disk.crash_points() + moment;
      computer.disk.observer = [&](const io::sim::crash_point& point) {
        if (point.number >= at && !computer.disk.is_off()) computer.disk.power_off();
      };
      bool is_answered = false;
      begin([&](bool ok) { is_answered = ok && !computer.disk.is_off(); });
      computer.world.run_until([&] { return is_answered || computer.disk.is_off(); });
      computer.disk.observer = nullptr;
      const bool came_through = !computer.disk.is_off();
      computer.crash();
      start();
      check(is_answered);
      if (came_through || testing::Test::HasFailure()) return;
    }
  }

  broker_machine computer{3};
};

TEST_F(own_configs_test, are_not_in_metadata) {
  ASSERT_TRUE(computer.create("t", 1, {{name, "page_cache"}, {"retention.ms", "5"}}).ok());
  EXPECT_EQ(set_on("t"), "page_cache");
  const auto image = computer.controller->published();
  EXPECT_EQ(image->configs_of({metadata::config_resource_type::topic, "t"}),
            (metadata::config_values{{"retention.ms", "5"}}));
  EXPECT_NE(file().find(fmt::format("topic.{}.{}=page_cache", image->find_topic("t")->id, name)),
            std::string::npos);
}

TEST_F(own_configs_test, lines_of_a_later_version_stay) {
  ASSERT_TRUE(computer.stop().ok());
  ASSERT_TRUE(io::replace_file(computer.disk, path, as_bytes("ringlog.later=7\n")).ok());
  start();
  ASSERT_TRUE(computer.create("t", 1, {{name, "page_cache"}}).ok());
  EXPECT_NE(file().find("\nringlog.later=7\n"), std::string::npos);
}

TEST_F(own_configs_test, a_topic_that_is_there_has_what_it_was_made_with) {
  int made = 0;
  std::string topic;
  crash_everywhere(
      [&](auto answered) {
        new_topic wanted;
        wanted.name = topic = fmt::format("t{}", ++made);
        wanted.configs = {{name, "page_cache"}};
        computer.facade().create_topic(std::move(wanted), false,
                                       [answered](const auto& outcome) { answered(outcome.ok()); });
      },
      [&](bool is_answered) {
        const auto set = set_on(topic);
        EXPECT_TRUE(set == "page_cache" || (set == "no topic" && !is_answered)) << set.value_or("");
        const auto lines = file();
        EXPECT_EQ(std::count(lines.begin(), lines.end(), '='),
                  std::ssize(computer.facade().list_topics()));
      });
  EXPECT_GT(made, 5);
}

TEST_F(own_configs_test, an_answered_change_stays) {
  ASSERT_TRUE(computer.create("t", 1).ok());
  std::string wanted;
  crash_everywhere(
      [&](auto answered) {
        wanted = set_on("t") == "page_cache" ? "fsync" : "page_cache";
        computer.facade().alter_configs(
            {resource_type::topic, "t"},
            {{name, wanted, {}}, {"retention.ms", wanted == "fsync" ? "1" : "2", {}}}, false,
            [answered](const auto& outcome) { answered(outcome.ok()); });
      },
      [&](bool is_answered) {
        if (!is_answered) return;
        EXPECT_EQ(set_on("t"), wanted);
        EXPECT_EQ(computer.controller->published()
                      ->configs_of({metadata::config_resource_type::topic, "t"})
                      .at("retention.ms"),
                  wanted == "fsync" ? "1" : "2");
      });
}

TEST_F(own_configs_test, go_with_their_topic) {
  ASSERT_TRUE(computer.create("t", 1, {{name, "page_cache"}}).ok());
  ASSERT_TRUE(computer.delete_topic("t").ok());
  EXPECT_EQ(file().find("topic."), std::string::npos);
  ASSERT_TRUE(computer.create("t", 1).ok());
  EXPECT_EQ(set_on("t"), std::nullopt);
}

}  // namespace
}  // namespace ringlog::broker
