#include "server/http/metrics_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "server/http/metrics_text.h"
#include "server/served_apis.h"

namespace ringlog::server {
namespace {

struct group_position {
  std::string group;
  topic_partition source;
  std::int64_t offset = 0;
  std::int64_t end = -1;  // of the log; -1: not known
};

struct page_content {
  std::vector<broker::listed_group> groups;
  std::vector<std::unique_ptr<group_position>> positions;
};

// What a page waits for. The last holder passes on what has come.
struct page_under_way {
  page_under_way(std::shared_ptr<shared_state> of, callback<void(http_writer)> answer)
      : shared(std::move(of)), done(std::move(answer)) {}
  ~page_under_way();

  const std::shared_ptr<shared_state> shared;
  callback<void(http_writer)> done;
  std::mutex mutex;  // guards the content
  std::shared_ptr<page_content> content = std::make_shared<page_content>();
};

using page_ptr = std::shared_ptr<page_under_way>;

void ask_for_end(const page_ptr& page, group_position& position) {
  broker::list_offset_request wanted;
  wanted.source = position.source;
  page->shared->core.list_offset(std::move(wanted), [page, &position](const auto& found) {
    if (!found.ok()) return;
    const std::lock_guard lock(page->mutex);
    position.end = found->offset.value();
  });
}

void ask_for_positions(const page_ptr& page, const std::string& group) {
  broker::offset_fetch_request wanted;
  wanted.group = group;
  page->shared->core.fetch_offsets(std::move(wanted), [page, group](const auto& found) {
    if (!found.ok()) return;
    std::vector<group_position*> added;
    {
      const std::lock_guard lock(page->mutex);
      for (const auto& [source, committed] : *found) {
        if (!committed) continue;
        auto& positions = page->content->positions;
        positions.push_back(std::make_unique<group_position>());
        *positions.back() = {group, source, committed->offset.value()};
        added.push_back(positions.back().get());
      }
    }
    for (group_position* position : added) ask_for_end(page, *position);
  });
}

void add_topics(metrics_text& text, const server_metrics& metrics) {
  using counter = std::atomic<std::uint64_t> topic_counts::*;
  struct family {
    std::string_view name;
    counter value;
    std::string_view help;
  };
  constexpr std::array families{
      family{"messagesin_total", &topic_counts::messages_in, "Records written."},
      family{"bytesin_total", &topic_counts::bytes_in, "Bytes of record batches written."},
      family{"bytesout_total", &topic_counts::bytes_out, "Bytes of record batches sent."},
      family{"totalproducerequests_total", &topic_counts::produce_requests,
             "Record batches sent to a partition."},
      family{"failedproducerequests_total", &topic_counts::failed_produce_requests,
             "Record batches refused."},
      family{"totalfetchrequests_total", &topic_counts::fetch_requests,
             "Partitions asked for records."},
      family{"failedfetchrequests_total", &topic_counts::failed_fetch_requests,
             "Partitions that could not be read."},
  };
  const auto topics = metrics.by_topic();
  for (const family& one : families) {
    text.family(fmt::format("kafka_server_brokertopicmetrics_{}", one.name), "counter", one.help);
    double total = 0;
    for (const auto& [topic, counts] : topics) {
      const auto value = static_cast<double>(((*counts).*one.value).load());
      total += value;
      if (!topic.empty()) text.sample(value, {{"topic", topic}});
    }
    text.sample(total);
  }
}

void add_requests(metrics_text& text, const server_metrics& metrics) {
  const std::vector<double> quantiles{0.5, 0.75, 0.95, 0.98, 0.99, 0.999};
  std::vector<std::pair<std::string, time_histogram::summary>> used;
  for (const protocol::api_info* api : served_apis()) {
    used.emplace_back(std::string(api->name), metrics.of_api(api->key).summarize(quantiles));
  }
  std::erase_if(used, [](const auto& one) { return one.second.count == 0; });
  text.family("kafka_network_requestmetrics_requests_total", "counter", "Requests answered.");
  for (const auto& [name, time] : used) {
    text.sample(static_cast<double>(time.count), {{"request", name}});
  }
  text.family("kafka_network_requestmetrics_totaltimems", "summary",
              "Milliseconds from a request's begin to its answer.");
  for (const auto& [name, time] : used) {
    for (std::size_t i = 0; i < quantiles.size(); ++i) {
      const std::string quantile = fmt::format("{}", quantiles[i]);
      text.sample(time.quantiles_ms[i], {{"request", name}, {"quantile", quantile}});
    }
    text.sample(time.sum_ms, {{"request", name}}, "_sum");
    text.sample(static_cast<double>(time.count), {{"request", name}}, "_count");
  }
}

void add_number(metrics_text& text, std::string_view name, std::string_view help, double value) {
  text.family(name, "gauge", help);
  text.sample(value);
}

void add_node(metrics_text& text, const shared_state& shared) {
  const auto topics = shared.core.list_topics();
  double partitions = 0;
  double under_replicated = 0;
  for (const auto& topic : topics) {
    partitions += static_cast<double>(topic.partitions.size());
    under_replicated += static_cast<double>(
        std::ranges::count_if(topic.partitions, [](const broker::partition_description& one) {
          return one.in_sync_replicas.size() < one.replicas.size();
        }));
  }
  const auto offline = static_cast<double>(shared.core.describe_health().offline_partitions);
  add_number(text, "kafka_server_replicamanager_partitioncount", "Partitions here.", partitions);
  add_number(text, "kafka_server_replicamanager_leadercount", "Partitions led here.",
             partitions - offline);
  add_number(text, "kafka_server_replicamanager_underreplicatedpartitions",
             "Partitions with a replica that is behind.", under_replicated);
  add_number(text, "kafka_server_replicamanager_offlinereplicacount",
             "Partitions whose log cannot be written.", offline);
  add_number(text, "kafka_controller_kafkacontroller_offlinepartitionscount",
             "Partitions that nobody leads.", offline);
  add_number(text, "kafka_controller_kafkacontroller_activecontrollercount",
             "Whether this node is the controller.", 1);
  add_number(text, "kafka_controller_kafkacontroller_globaltopiccount", "Topics.",
             static_cast<double>(topics.size()));
  add_number(text, "kafka_controller_kafkacontroller_globalpartitioncount", "Partitions.",
             partitions);
  add_number(text, "kafka_server_socketservermetrics_connection_count", "Connections of clients.",
             static_cast<double>(shared.connections.all()));
}

void add_groups(metrics_text& text, const page_content& page) {
  text.family("kafka_consumergroup_members", "gauge", "1 for each group, with its state.");
  for (const broker::listed_group& group : page.groups) {
    text.sample(1, {{"consumergroup", group.group}, {"state", group.state}});
  }
  struct family {
    std::string_view name;
    std::string_view help;
    bool is_lag;
  };
  for (const family& one :
       {family{"kafka_consumergroup_current_offset", "Position that a group has committed.", false},
        family{"kafka_consumergroup_lag", "Records between that and the log's end.", true}}) {
    text.family(one.name, "gauge", one.help);
    for (const auto& position : page.positions) {
      if (one.is_lag && position->end < 0) continue;
      const std::int64_t lag = std::max<std::int64_t>(position->end - position->offset, 0);
      const std::string partition = fmt::format("{}", position->source.partition);
      text.sample(static_cast<double>(one.is_lag ? lag : position->offset),
                  {{"consumergroup", position->group},
                   {"topic", position->source.topic},
                   {"partition", partition}});
    }
  }
}

std::string plain_name_of(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    plain += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  const bool may_begin = !plain.empty() && std::isdigit(static_cast<unsigned char>(plain[0])) == 0;
  return may_begin ? plain : "_" + plain;
}

// By families and labels, each there once, whatever the clients call them.
void add_clients(metrics_text& text, client_telemetry& telemetry) {
  using label_values = std::map<std::string, std::string>;
  std::map<std::string, std::map<label_values, double>> families;
  for (const auto& client : telemetry.all()) {
    for (const client_sample& sample : client.samples) {
      label_values labels;
      for (const auto& [label, value] : sample.labels) labels[plain_name_of(label)] = value;
      labels["client_id"] = client.client_id;
      labels["client_instance_id"] = client.client.to_string();
      families["kafka_client_" + plain_name_of(sample.name)][labels] = sample.value;
    }
  }
  for (const auto& [name, samples] : families) {
    text.family(name, "gauge", "As clients have measured it.");
    for (const auto& [labels, value] : samples) text.sample(value, {labels.begin(), labels.end()});
  }
}

std::string write(shared_state& shared, const page_content& content) {
  metrics_text text;
  add_topics(text, shared.metrics);
  add_requests(text, shared.metrics);
  add_node(text, shared);
  add_groups(text, content);
  add_clients(text, shared.telemetry);
  return std::move(text).finish();
}

page_under_way::~page_under_way() {
  done([of = shared, content = content]() -> http_answer {
    return {200, "text/plain; version=0.0.4; charset=utf-8", write(*of, *content)};
  });
}

}  // namespace

void make_metrics_page(std::shared_ptr<shared_state> shared, callback<void(http_writer)> done) {
  const auto page = std::make_shared<page_under_way>(std::move(shared), std::move(done));
  page->shared->core.list_groups([page](const auto& found) {
    if (!found.ok()) return;
    page->content->groups = *found;
    for (const auto& group : *found) ask_for_positions(page, group.group);
  });
}

}  // namespace ringlog::server
