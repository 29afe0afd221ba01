#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "io/make_engine.h"
#include "io/system_clock.h"

namespace ringlog::io {

// Runs under every engine; io_uring is skipped by name where the system refuses it.
class each_engine_test : public testing::TestWithParam<engine_choice> {
 protected:
  void SetUp() override {
    if (GetParam() == engine_choice::uring && !probe_capabilities(clock_).io_uring) {
      GTEST_SKIP() << probe_capabilities(clock_).io_uring_refusal;
    }
  }

  system_clock clock_;
};

// With an engine of that kind.
class engine_fixture : public each_engine_test {
 protected:
  void SetUp() override {
    each_engine_test::SetUp();
    if (IsSkipped()) return;
    auto made = make_engine(GetParam(), clock_, sink_);
    ASSERT_TRUE(made.ok()) << made.failure().message;
    engine_ = std::move(made).value();
  }

  null_log_sink sink_;
  std::unique_ptr<loop> engine_;
};

inline const auto every_engine = testing::Values(engine_choice::uring, engine_choice::epoll);

inline std::string name_of_engine(const testing::TestParamInfo<engine_choice>& choice) {
  return choice.param == engine_choice::uring ? "io_uring" : "epoll";
}

}  // namespace ringlog::io
