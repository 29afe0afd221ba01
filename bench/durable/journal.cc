// The journal alone, without segments behind it: beside the raw loop it shows what blocks,
// checksums and group commit cost.

#include "storage/journal/journal.h"

#include <atomic>
#include <future>
#include <thread>

#include "client/wait.h"
#include "io/make_engine.h"
#include "io/posix_file_system.h"
#include "io/system_clock.h"
#include "io/system_random.h"
#include "log.h"
#include "measure.h"

namespace ringlog::bench {
namespace {

constexpr double warm_up_seconds_max = 2;

// A journal in FOLDER/journal with an engine of its own. One thread appends.
class lone_journal {
 public:
  explicit lone_journal(const std::string& folder) : engine_(make_engine()) {
    const std::string directory = folder + "/journal";
    need(disk_.make_directories(directory));
    storage::journal_options options;
    options.directory = directory;
    options.identity = storage::journal_identity::of(uuid::make_random(random_), "bench");
    const storage::services outside{disk_, *engine_, clock_, random_, sink_};
    journal_.emplace(outside, options);
    need(journal_->files().open());
    need(journal_->files().ensure_one());
    journal_->begin({1, 1});
    journal_->on_failure = [](const error& cause) { fail(cause.message); };
    journal_->on_half_full = [this] { journal_->release_before(journal_->first_needed()); };
    thread_ = std::thread([this] { engine_->run(); });
  }

  ~lone_journal() {
    on_engine([this] { journal_->stop(); });
    engine_->stop();
    thread_.join();
  }

  // Appends an entry and answers when it is durable; the answer comes on the engine's thread.
  void append(bytes_view bytes, callback<void()> durable) {
    storage::journaled_batch batch;
    batch.bytes = bytes;
    const auto entry = journal_->append({1, batch});
    engine_->post([this, entry, answer = std::move(durable)]() mutable {
      journal_->when_durable(entry, [answer = std::move(answer)](const status& outcome) mutable {
        need(outcome);
        answer();
      });
    });
  }

 private:
  std::unique_ptr<io::loop> make_engine() {
    return need(io::make_engine(need(io::engine_choice_from_environment()), clock_, sink_));
  }

  void on_engine(callback<void()> work) {
    std::promise<void> done;
    engine_->post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  io::system_clock clock_;
  io::system_random random_;
  null_log_sink sink_;
  io::posix_file_system disk_;
  std::unique_ptr<io::loop> engine_;
  std::optional<storage::journal> journal_;
  std::thread thread_;
};

// So many things may be under way at a time. One thread takes, and waits as the library's callers
// do; any thread gives back.
class places {
 public:
  explicit places(std::int64_t count) : count_(count), free_(count) {}

  void take() {
    while (free_ == 0) wait();
    --free_;
  }

  void give_back() {
    ++free_;
    changed_.signal();
  }

  void wait_for_all() {
    while (free_ < count_) wait();
  }

 private:
  void wait() { need(changed_.wait(patience())); }

  const std::int64_t count_;
  std::atomic<std::int64_t> free_;
  client::wait_point changed_;
};

}  // namespace

// block: bytes of a journal block, which one entry fills; depth: blocks in flight, at most those of
// the journal. One caller waits for each entry at depth 1; else twice the entries are there, so
// that the journal finds one when a block completes.
void journal(const parameters& given, report& figures) {
  usage used;
  lone_journal into(given.folder());
  const auto block = static_cast<std::size_t>(given.number("block"));
  const std::size_t bytes =
      block - storage::journal_format::header_bytes - storage::journal_format::batch_overhead;
  const auto depth = given.number("depth");
  const auto under_way = depth == 1 ? 1 : 2 * depth;
  // As many as are under way, taken in turn: so producers use memory, and so does the raw loop.
  std::vector<byte_buffer> contents(static_cast<std::size_t>(under_way));
  seeded_random random(1);
  for (byte_buffer& each : contents) {
    each.resize(bytes);
    std::generate(each.begin(), each.end(), [&] { return static_cast<std::byte>(random.next()); });
  }
  places room(under_way);
  latencies took;  // written on the engine's thread, read at the end
  std::int64_t appended = 0;
  const auto append = [&] {
    room.take();
    const auto& content = contents[static_cast<std::size_t>(appended++) % contents.size()];
    into.append(content, [&, before = steady::now()] {
      took.add(steady::now() - before);
      room.give_back();
    });
  };
  const auto grown = 2 * limits::journal_bytes_max / static_cast<std::int64_t>(block);
  for (const auto warm = end_after(warm_up_seconds_max);
       steady::now() < warm && appended < grown;) {
    append();  // its files are made
  }
  room.wait_for_all();
  took = {};
  appended = 0;
  used.begin();
  const auto end = end_after(given.seconds());
  while (steady::now() < end) append();
  room.wait_for_all();
  used.end(figures, appended, appended, appended * static_cast<std::int64_t>(block));
  took.report_to(figures, "write");
}

}  // namespace ringlog::bench
