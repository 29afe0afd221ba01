// Durable batches in one partition: ringlog with several in flight, the stores one transaction
// after another (they have no other way).

#include "base/limits.h"
#include "client/producer.h"
#include "log.h"
#include "measure.h"
#include "stores.h"

namespace ringlog::bench {
namespace {

// What a journal's headers take from a block in which exactly one batch shall fit.
constexpr std::int64_t block_headers = 512;

void produce_to(const parameters& given, report& figures, usage& used) {
  values from(given.number("record"));
  log into(given.folder());
  into.create_topic(1);
  std::int64_t per_batch = given.number("records");
  byte_buffer prepared;  // batches of a number of bytes are made once: encoding is not the subject
  if (per_batch == 0) {
    prepared = make_batch_of_bytes(from, given.number("batch_bytes") - block_headers, per_batch);
  }
  produce_window window(into.broker(), given.number("in_flight"));
  window.produce(0, make_batch(from, 1));
  window.drain();
  used.begin();
  const auto end = end_after(given.seconds());
  std::int64_t produced = 0;
  for (; steady::now() < end; ++produced) {
    window.produce(0, prepared.empty() ? make_batch(from, per_batch) : prepared);
  }
  window.drain();
  const std::int64_t records = produced * per_batch;
  used.end(figures, produced, records, records * given.number("record"));
}

void send_to(const parameters& given, report& figures, usage& used) {
  values from(given.number("record"));
  log into(given.folder());
  into.create_topic(1);
  const auto by = client::producer::make(into.transport(), {});
  client::producer_topic* topic = need(by->topic(topic_name, patience()));
  client::outgoing_record record;
  record.value = from.next();
  need(by->send(*topic, record, patience()));
  need(by->flush(patience()));
  used.begin();
  const auto end = end_after(given.seconds());
  std::int64_t records = 0;
  std::int64_t batches = 0;
  client::sent_record last;
  while (steady::now() < end) {
    for (std::int64_t i = 0; i < given.number("records"); ++i) {
      record.value = from.next();
      last = need(by->send(*topic, record, patience()));
      batches += last.index == 0 ? 1 : 0;
      ++records;
    }
  }
  need(by->flush(patience()));
  if (last.batch->failure()) fail(last.batch->failure()->message);
  used.end(figures, batches, records, records * given.number("record"));
  need(by->close(patience()));
}

void append_to(const parameters& given, report& figures, usage& used) {
  values from(given.number("record"));
  const auto into = open_store(given.text("contender"), given.folder());
  const auto per_batch = static_cast<std::size_t>(given.number("records"));
  used.begin();
  const auto end = end_after(given.seconds());
  std::int64_t appended = 0;
  for (; steady::now() < end; ++appended) into->append(from.next(per_batch));
  const std::int64_t records = appended * given.number("records");
  used.end(figures, appended, records, records * given.number("record"));
}

}  // namespace

// contender: "ringlog" produces batches of `records` records (0: as many as fit into batch_bytes)
// by the broker's facade with in_flight of them unanswered; "ringlog-producer" sends record by
// record with the producer's defaults, which batches by itself; else a store, one transaction per
// batch. record: bytes of a value.
void batches(const parameters& given, report& figures) {
  usage used;
  const std::string& contender = given.text("contender");
  if (contender == "ringlog") {
    produce_to(given, figures, used);
  } else if (contender == "ringlog-producer") {
    send_to(given, figures, used);
  } else {
    append_to(given, figures, used);
  }
  report_footprint(figures);
}

}  // namespace ringlog::bench
