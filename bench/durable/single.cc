// One record at a time, durable, one caller: how long each takes.

#include "client/producer.h"
#include "log.h"
#include "measure.h"
#include "stores.h"

namespace ringlog::bench {
namespace {

constexpr int warm_up = 20;

template <typename Append>
void measure(const parameters& given, report& figures, usage& used, Append append) {
  for (int i = 0; i < warm_up; ++i) append();
  latencies took;
  used.begin();
  const auto end = end_after(given.seconds());
  for (auto before = steady::now(); before < end;) {
    append();
    const auto after = steady::now();
    took.add(after - before);
    before = after;
  }
  const auto records = static_cast<std::int64_t>(took.count());
  used.end(figures, records, records, records * given.number("record"));
  took.report_to(figures, "record");
}

}  // namespace

// contender, record (bytes of a value).
void single(const parameters& given, report& figures) {
  usage used;
  values from(given.number("record"));
  if (given.text("contender") != "ringlog") {
    const auto into = open_store(given.text("contender"), given.folder());
    return measure(given, figures, used, [&] { into->append(from.next(1)); });
  }
  log into(given.folder());
  into.create_topic(1);
  const auto by = client::producer::make(into.transport(), {});
  client::producer_topic* topic = need(by->topic(topic_name, patience()));
  measure(given, figures, used, [&] {
    client::outgoing_record record;
    record.value = from.next();
    const auto sent = need(by->send(*topic, record, patience()));
    need(sent.batch->wait(patience()));
    if (sent.batch->failure()) fail(sent.batch->failure()->message);
  });
  need(by->close(patience()));
}

}  // namespace ringlog::bench
