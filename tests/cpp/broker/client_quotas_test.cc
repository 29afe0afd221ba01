// Who may use how much, and what follows from using more.

#include "broker/client_quotas.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ringlog::broker {
namespace {

class stepped_clock final : public clock {
 public:
  std::int64_t wall_ms() const override { return now_.count(); }
  monotonic_time now() const override { return {now_}; }
  void advance(milliseconds distance) { now_ += distance; }

 private:
  milliseconds now_{5'000};
};

const std::optional<std::string> any;

class client_quotas_test : public testing::Test {
 protected:
  client_quotas_test() : quotas(time, model::parse_broker_configs({}).value()) {}

  void set(const quota_entity& entity, const std::string& key, double value) {
    image.quotas.edit()[entity][key] = value;
    quotas.take_over(image);
  }
  void unset(const quota_entity& entity) {
    image.quotas.edit().erase(entity);
    quotas.take_over(image);
  }
  // What a client may use at once is ten seconds' worth.
  double bound(std::string_view user, std::string_view client) const {
    return quotas.most_at_once(quota_kind::produced_bytes, {user, client}) / 10;
  }
  std::int64_t charge(double amount, quota_kind kind = quota_kind::produced_bytes,
                      std::string_view client = "c") {
    return quotas.charge(kind, {"u", client}, amount).count();
  }

  stepped_clock time;
  metadata::image image;
  client_quotas quotas;
};

TEST_F(client_quotas_test, nothing_is_bounded_where_nothing_is_set) {
  EXPECT_FALSE(quotas.has_any(quota_kind::produced_bytes));
  EXPECT_TRUE(std::isinf(bound("u", "c")));
  EXPECT_EQ(charge(1e15), 0);
  set({{"user", "other"}}, "producer_byte_rate", 1);
  EXPECT_EQ(charge(1e15), 0);
  set({{"ip", any}}, "producer_byte_rate", 1);
  EXPECT_EQ(charge(1e15), 0);
}

// From the last to the first: each stands before those that were set until then.
TEST_F(client_quotas_test, the_nearest_quota_applies) {
  const std::vector<quota_entity> levels{{{"client-id", any}},
                                         {{"client-id", "c"}},
                                         {{"user", any}},
                                         {{"client-id", any}, {"user", any}},
                                         {{"client-id", "c"}, {"user", any}},
                                         {{"user", "u"}},
                                         {{"client-id", any}, {"user", "u"}},
                                         {{"client-id", "c"}, {"user", "u"}}};
  for (std::size_t i = 0; i < levels.size(); ++i) {
    set(levels[i], "producer_byte_rate", static_cast<double>(100 + i));
    EXPECT_EQ(bound("u", "c"), 100 + i);
    set(levels[i], "consumer_byte_rate", 1);  // another kind
    EXPECT_EQ(bound("u", "c"), 100 + i);
  }
  EXPECT_EQ(bound("v", "d"), 103);
  EXPECT_EQ(bound("v", "c"), 104);
  EXPECT_EQ(bound("u", "d"), 106);
  for (std::size_t i = levels.size(); i-- > 1;) {
    unset(levels[i]);
    EXPECT_EQ(bound("u", "c"), 100 + i - 1);
  }
  unset(levels[0]);
  EXPECT_FALSE(quotas.has_any(quota_kind::produced_bytes));
}

TEST_F(client_quotas_test, pauses_until_the_average_is_back) {
  set({{"client-id", any}}, "producer_byte_rate", 1'000);
  EXPECT_EQ(charge(10'000), 0);  // over ten windows
  EXPECT_EQ(charge(1'000), 1'000);
  time.advance(milliseconds(1'000));
  EXPECT_EQ(charge(0), 1'000);  // the first windows count as empty ones
  time.advance(milliseconds(10'000));
  EXPECT_EQ(charge(0), 0);
  time.advance(milliseconds(11'000));  // all windows are over
  EXPECT_EQ(charge(10'000), 0);
}

TEST_F(client_quotas_test, a_refund_makes_it_as_it_was) {
  set({{"client-id", any}}, "consumer_byte_rate", 1'000);
  EXPECT_EQ(charge(9'000, quota_kind::fetched_bytes), 0);
  EXPECT_GT(charge(9'000, quota_kind::fetched_bytes), 0);
  quotas.refund(quota_kind::fetched_bytes, {"u", "c"}, 9'000);
  EXPECT_EQ(charge(1'000, quota_kind::fetched_bytes), 0);
}

TEST_F(client_quotas_test, clients_of_a_default_are_counted_apart_and_of_a_user_together) {
  set({{"client-id", any}}, "producer_byte_rate", 1'000);
  EXPECT_EQ(charge(10'000, quota_kind::produced_bytes, "a"), 0);
  EXPECT_EQ(charge(10'000, quota_kind::produced_bytes, "b"), 0);
  set({{"user", any}}, "producer_byte_rate", 1'000);
  EXPECT_EQ(charge(10'000, quota_kind::produced_bytes, "a"), 0);
  EXPECT_GT(charge(10'000, quota_kind::produced_bytes, "b"), 0);
}

TEST_F(client_quotas_test, busy_time_is_a_share_of_a_thread_and_its_pause_is_one_window) {
  set({{"client-id", any}}, "request_percentage", 10);
  EXPECT_EQ(charge(0.9, quota_kind::busy_time), 0);
  EXPECT_EQ(charge(0.2, quota_kind::busy_time), 1'000);
  EXPECT_EQ(charge(0, quota_kind::busy_time), 1'000);
}

TEST_F(client_quotas_test, a_quota_that_is_changed_acts_on_what_was_used) {
  set({{"client-id", any}}, "producer_byte_rate", 1'000);
  EXPECT_EQ(charge(5'000), 0);
  set({{"client-id", any}}, "producer_byte_rate", 100);
  EXPECT_EQ(charge(0), 40'000);
  set({{"client-id", any}}, "producer_byte_rate", 0.001);
  EXPECT_EQ(charge(0), limits::client_pause_ms_max);
}

TEST_F(client_quotas_test, clients_are_forgotten_when_there_are_too_many) {
  set({{"client-id", any}}, "producer_byte_rate", 1'000);
  for (std::size_t i = 0; i < limits::counted_clients_max; ++i) {
    charge(1, quota_kind::produced_bytes, std::to_string(i));
  }
  EXPECT_GT(charge(20'000, quota_kind::produced_bytes, "1"), 0);
  charge(1, quota_kind::produced_bytes, "one more");
  EXPECT_EQ(charge(0, quota_kind::produced_bytes, "1"), 0);
}

}  // namespace
}  // namespace ringlog::broker
