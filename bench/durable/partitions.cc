// Many partitions: what they cost in throughput, memory and descriptors; and how long a log with
// many of them takes to be back after its process ended, well or badly.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "client/producer.h"
#include "log.h"
#include "measure.h"

namespace ringlog::bench {
namespace {

// Before the timed part every partition has its files.
void touch_all(log& into, values& from, std::int32_t partitions) {
  produce_window window(into.broker(), 1'000);
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    window.produce(partition, make_batch(from, 1));
  }
  window.drain();
}

struct amounts {
  std::int64_t batches = 0;
  std::int64_t records = 0;
};

// Batches of the same number of records whatever the number of partitions, each to a random one.
amounts produce_batches(const parameters& given, log& into, values& from, double seconds) {
  const std::int64_t per_batch = given.number("records");
  const std::int64_t batch_bytes = per_batch * given.number("record");
  produce_window window(into.broker(), given.number("in_flight_bytes") / batch_bytes);
  const auto partitions = static_cast<std::uint64_t>(given.number("partitions"));
  seeded_random random(2);
  amounts sent;
  for (const auto end = end_after(seconds); steady::now() < end; ++sent.batches) {
    window.produce(static_cast<std::int32_t>(random.below(partitions)),
                   make_batch(from, per_batch));
  }
  window.drain();
  sent.records = sent.batches * per_batch;
  return sent;
}

// Records with random keys through a producer, which batches what meets in a partition.
amounts send_records(const parameters& given, log& into, values& from, double seconds) {
  client::producer_options options;
  options.buffer_memory = given.number("in_flight_bytes");
  options.request_timeout_ms = options.delivery_timeout_ms = patience_max.count();
  const auto by = client::producer::make(into.transport(), options);
  client::producer_topic* topic = need(by->topic(topic_name, patience()));
  seeded_random random(2);
  amounts sent;
  client::sent_record last;
  for (const auto end = end_after(seconds); steady::now() < end;) {
    for (int i = 0; i < 100; ++i, ++sent.records) {
      const std::uint64_t key = random.next();
      client::outgoing_record record;
      record.key = std::as_bytes(std::span(&key, 1));
      record.value = from.next();
      last = need(by->send(*topic, record, patience()));
      sent.batches += last.index == 0 ? 1 : 0;
    }
  }
  need(by->flush(patience()));
  if (last.batch->failure()) fail(last.batch->failure()->message);
  need(by->close(patience()));
  return sent;
}

void forget_cached_pages(const std::string& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const int descriptor = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) continue;
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    ::close(descriptor);
  }
}

void read_first(log& from, std::int32_t partition) {
  broker::fetch_request request;
  request.partitions.push_back({{topic_name, partition_id_t(partition)}, offset_t(0)});
  const auto answer =
      need(client::await<broker::fetch_answer>(patience(), "the first read", [&](auto reply) {
        from.broker().fetch(std::move(request), std::move(reply));
      }));
  const broker::fetched_partition& fetched = answer.partitions.at(0);
  if (fetched.failure) fail(fetched.failure->message);
  if (fetched.batches.empty()) fail("the first read found nothing: an acknowledged batch is lost");
}

}  // namespace

// mode: "batches" (equal batches by the broker's facade) or "records" (natural batching by a
// producer with random keys); partitions, record (bytes of a value), records (per batch),
// in_flight_bytes.
void partitions(const parameters& given, report& figures) {
  usage used;
  values from(given.number("record"));
  log into(given.folder());
  const auto count = static_cast<std::int32_t>(given.number("partitions"));
  const auto begin = steady::now();
  into.create_topic(count);
  figures.add("create_seconds", seconds_since(begin));
  touch_all(into, from, count);
  figures.add("first_batches_seconds", seconds_since(begin));
  used.begin();
  const amounts sent = given.text("mode") == "batches"
                           ? produce_batches(given, into, from, given.seconds())
                           : send_records(given, into, from, given.seconds());
  const std::int64_t bytes = sent.records * given.number("record");
  used.end(figures, sent.batches, sent.records, bytes);
  figures.add("batches_per_mb",
              static_cast<double>(sent.batches) / (static_cast<double>(bytes) / 1e6));
  report_footprint(figures);
  const auto closing = steady::now();
  into.close();
  figures.add("close_seconds", seconds_since(closing));
}

// Fills a log as `partitions` does in mode "batches". stop: "clean" closes it; "kill" prints the
// figures and goes on producing until somebody kills the process.
void fill(const parameters& given, report& figures) {
  values from(given.number("record"));
  log into(given.folder());
  const auto count = static_cast<std::int32_t>(given.number("partitions"));
  into.create_topic(count);
  touch_all(into, from, count);
  const amounts sent = produce_batches(given, into, from, given.seconds());
  figures.add("filled_bytes", static_cast<double>(sent.records * given.number("record")));
  if (given.text("stop") == "clean") {
    const auto closing = steady::now();
    into.close();
    figures.add("close_seconds", seconds_since(closing));
    return;
  }
  figures.print();
  for (;;) produce_batches(given, into, from, given.seconds());
}

// Opens what `fill` left, up to the first read and the first durable write. cache: "dropped" makes
// the kernel forget the pages of its files before, as far as they are written back; "kept" leaves
// them as the end of the process did.
void reopen(const parameters& given, report& figures) {
  values from(given.number("record"));
  const auto count = static_cast<std::int32_t>(given.number("partitions"));
  if (given.text("cache") == "dropped") forget_cached_pages(given.folder());
  const auto begin = steady::now();
  log opened(given.folder());
  figures.add("open_ms", seconds_since(begin) * 1e3);
  read_first(opened, count / 2);
  figures.add("first_read_ms", seconds_since(begin) * 1e3);
  produce_window window(opened.broker(), 1);
  window.produce(count / 2, make_batch(from, 1));
  window.drain();
  figures.add("first_write_ms", seconds_since(begin) * 1e3);
  report_footprint(figures);
}

}  // namespace ringlog::bench
