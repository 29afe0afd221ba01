#include "io/operation.h"

#include <gtest/gtest.h>
#include <limits.h>

#include <cerrno>

#include "base/limits.h"
#include "io/posix_file_system.h"

namespace ringlog::io {
namespace {

// What the kernel may answer, without a kernel that does.
class OperationTest : public testing::Test {
 protected:
  std::unique_ptr<operation> make_write(std::vector<bytes_view> parts) {
    return operation::make_write(*file_, 100, parts, true,
                                 [this](status done) { outcome_ = std::move(done); });
  }

  std::unique_ptr<file> file_ = posix_file_system().open("/dev/null", open_mode::read).value();
  std::optional<status> outcome_;
};

TEST_F(OperationTest, AShortWriteGoesOnInsideAPart) {
  const auto write = make_write({as_bytes("abc"), as_bytes("defgh")});
  EXPECT_FALSE(write->absorb(4));
  EXPECT_EQ(write->position(), 104u);
  ASSERT_EQ(write->part_count(), 1u);
  EXPECT_EQ(std::string_view(static_cast<char*>(write->parts()->iov_base), write->parts()->iov_len),
            "efgh");
  EXPECT_TRUE(write->absorb(4));
  write->complete();
  EXPECT_TRUE(outcome_->ok());
}

TEST_F(OperationTest, InterruptionsAreRepeatedButNotForEver) {
  const auto write = make_write({as_bytes("abc")});
  EXPECT_FALSE(write->absorb(-EINTR));
  EXPECT_FALSE(write->absorb(1));
  for (int i = 0; i < limits::io_retries_max; ++i) ASSERT_FALSE(write->absorb(-EAGAIN));
  EXPECT_TRUE(write->absorb(-EAGAIN));
  write->complete();
  EXPECT_EQ(outcome_->code(), error_code::io_error);
}

TEST_F(OperationTest, AFailureInTheMiddleIsAFailure) {
  const auto write = make_write({as_bytes("abc")});
  EXPECT_FALSE(write->absorb(1));
  EXPECT_TRUE(write->absorb(-EIO));
  write->complete();
  EXPECT_EQ(outcome_->code(), error_code::io_error);
  EXPECT_NE(outcome_->failure().message.find("dmesg"), std::string::npos);
}

TEST_F(OperationTest, AWriteOfNothingIsAFailureNotALoop) {
  const auto write = make_write({as_bytes("abc")});
  EXPECT_TRUE(write->absorb(0));
  write->complete();
  EXPECT_FALSE(outcome_->ok());
}

TEST_F(OperationTest, PartsAreHandedOverInBitesOfTheSystemsSize) {
  const std::vector<bytes_view> parts(IOV_MAX + 10, as_bytes("a"));
  const auto write = make_write(parts);
  EXPECT_EQ(write->part_count(), static_cast<unsigned>(IOV_MAX));
  EXPECT_FALSE(write->absorb(IOV_MAX));
  EXPECT_EQ(write->part_count(), 10u);
  EXPECT_TRUE(write->absorb(10));
}

TEST_F(OperationTest, AFileThatTakesNoDurableWritesIsWrittenAndSynced) {
  const auto first = make_write({as_bytes("abc")});
  EXPECT_EQ(first->what(), operation::kind::durable_write);
  EXPECT_NE(first->write_flags(), 0);
  EXPECT_FALSE(first->absorb(1));
  EXPECT_FALSE(first->absorb(-EOPNOTSUPP));
  EXPECT_EQ(first->what(), operation::kind::write);
  EXPECT_EQ(first->write_flags(), 0);
  EXPECT_EQ(first->position(), 101u);
  EXPECT_FALSE(first->absorb(2));
  EXPECT_EQ(first->what(), operation::kind::sync);
  EXPECT_FALSE(first->absorb(-EINTR));
  EXPECT_TRUE(first->absorb(0));
  first->complete();
  EXPECT_TRUE(outcome_->ok());
  // Decided for the file: the next one does not ask again, and a failed sync fails it.
  EXPECT_FALSE(file_->takes_durable_writes());
  const auto second = make_write({as_bytes("abc")});
  EXPECT_EQ(second->what(), operation::kind::write);
  EXPECT_FALSE(second->absorb(3));
  EXPECT_TRUE(second->absorb(-EIO));
  second->complete();
  EXPECT_EQ(outcome_->code(), error_code::io_error);
}

TEST_F(OperationTest, AFileThatTakesNoWritesAtAllFails) {
  const auto write = make_write({as_bytes("abc")});
  EXPECT_FALSE(write->absorb(-EOPNOTSUPP));
  EXPECT_TRUE(write->absorb(-EOPNOTSUPP));
  write->complete();
  EXPECT_EQ(outcome_->code(), error_code::unsupported);
}

TEST_F(OperationTest, AReadThatMeetsTheEndReportsWhatItHas) {
  byte_buffer target(10);
  std::optional<result<std::size_t>> outcome;
  const auto read = operation::make_read(
      *file_, 0, target, [&](result<std::size_t> done) { outcome = std::move(done); });
  EXPECT_FALSE(read->absorb(4));
  EXPECT_TRUE(read->absorb(0));
  read->complete();
  EXPECT_EQ(outcome->value(), 4u);
}

}  // namespace
}  // namespace ringlog::io
