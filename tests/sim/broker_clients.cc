#include "broker_clients.h"

#include <algorithm>
#include <charconv>

#include "model/batch_builder.h"

namespace ringlog::sim {
namespace {

constexpr std::string_view group = "payments";
constexpr std::string_view altered_config = "file.delete.delay.ms";

}  // namespace

// ---- broker_port

void broker_port::append(byte_buffer batch, callback<void(result<appended>)> done) {
  broker::produce_request request;
  request.target = name_;
  request.batches = std::move(batch);
  broker_.produce(std::move(request),
                  [done = std::move(done)](result<broker::produce_answer> answer) mutable {
                    if (!answer.ok()) return done(std::move(answer.failure()));
                    done(appended{answer->base_offset.value(), answer->duplicate});
                  });
}

void broker_port::delete_records(std::int64_t before, callback<void(result<std::int64_t>)> done) {
  broker_.delete_records(name_, offset_t(before),
                         [done = std::move(done)](result<offset_t> moved) mutable {
                           if (!moved.ok()) return done(std::move(moved.failure()));
                           done(moved->value());
                         });
}

result<std::int64_t> broker_port::list_offset(std::int64_t timestamp) {
  TRY_ASSIGN(const broker::listed_offset listed,
             ask<broker::listed_offset>(world_, disk_, [&](auto done) {
               broker_.list_offset({.source = name_, .timestamp = timestamp}, std::move(done));
             }));
  return listed.offset.value();
}

void broker_port::truncate_to(std::int64_t, callback<void(status)> done) {
  done(make_error(error_code::unsupported, "no client can cut a log"));
}

result<std::int64_t> broker_port::ask_high_watermark() {
  return list_offset(broker::latest_timestamp);
}

result<log_port::bounds> broker_port::ask_bounds() {
  bounds found;
  TRY_ASSIGN(found.start, list_offset(broker::earliest_timestamp));
  TRY_ASSIGN(found.end, list_offset(broker::latest_timestamp));
  return found;
}

result<std::vector<shared_bytes>> broker_port::read(std::int64_t from, std::int64_t bytes_max) {
  broker::fetch_request request;
  broker::fetch_partition wanted;
  wanted.source = name_;
  wanted.fetch_offset = offset_t(from);
  wanted.bytes_max = bytes_max;
  request.partitions.push_back(wanted);
  request.wait_ms_max = 0;
  TRY_ASSIGN(broker::fetch_answer answer, ask<broker::fetch_answer>(world_, disk_, [&](auto done) {
               broker_.fetch(std::move(request), std::move(done));
             }));
  broker::fetched_partition& fetched = answer.partitions.at(0);
  if (fetched.failure) return *std::move(fetched.failure);
  return std::move(fetched.batches);
}

// ---- admin_client: acting

void admin_client::fail(std::string what) {
  if (!violation_ && !excused_) violation_ = std::move(what);
}

void admin_client::create_or_delete_a_topic(broker::broker& served) {
  const std::string name = fmt::format("topic-{}", random_.below(4));
  topic& chosen = topics_[name];
  if (chosen.is == presence::unknown) return;
  const presence after = chosen.is == presence::absent ? presence::present : presence::absent;
  chosen.is = presence::unknown;
  ++operations_;
  const auto take = [this, name, after](const status& outcome) {
    if (!outcome.ok()) return fail(name + ": " + outcome.failure().message);
    ++answers_;
    topics_[name].is = after;
  };
  if (after == presence::present) {
    if (++chosen.life > 1) ++topics_made_again_;
    chosen.values.clear();
    chosen.answered = 0;
    broker::new_topic made;
    made.name = name;
    made.partitions = 1;
    served.create_topic(made, false, [take](result<broker::created_topic> created) {
      take(created.ok() ? status() : status(created.failure()));
    });
  } else {
    served.delete_topic(name, [take](result<uuid> deleted) {
      take(deleted.ok() ? status() : status(deleted.failure()));
    });
  }
}

void admin_client::append_to_a_topic(broker::broker& served) {
  const std::string name = fmt::format("topic-{}", random_.below(4));
  topic& chosen = topics_[name];
  if (chosen.is != presence::present) return;
  chosen.values.push_back(
      fmt::format("{} life {} record {}", name, chosen.life, chosen.values.size()));
  ++operations_;
  model::batch_builder builder;
  builder.append(io::sim::simulated_clock::start_wall_ms, std::nullopt,
                 as_bytes(chosen.values.back()));
  broker::produce_request request;
  request.target = {name, partition_id_t(0)};
  request.batches = std::move(builder).finish({});
  served.produce(std::move(request), [this, name, life = chosen.life, count = chosen.values.size()](
                                         const result<broker::produce_answer>& answer) {
    topic& of = topics_[name];
    if (of.life != life || of.is != presence::present) return;
    if (!answer.ok()) return fail(name + ": " + answer.failure().message);
    ++answers_;
    of.answered = std::max(of.answered, count);
  });
}

void admin_client::commit_an_offset(broker::broker& served) {
  const auto partition = static_cast<std::int32_t>(random_.below(3));
  promise& given = offsets_[partition];
  const std::int64_t offset = ++given.asked;
  ++operations_;
  broker::offset_commit_request request;
  request.from.group = group;
  request.offsets.push_back(
      {{"orders", partition_id_t(partition)}, {offset_t(offset), no_leader_epoch, "note"}});
  served.commit_offsets(
      std::move(request), [this, &given, offset](result<broker::partition_failures> answer) {
        if (answer.ok() && !answer->at(0).second) {
          ++answers_;
          given.answered = std::max(given.answered, offset);
          return;
        }
        const error& failure = answer.ok() ? *answer->at(0).second : answer.failure();
        // The group's partition is still being read after the start.
        if (failure.code == error_code::coordinator_loading) return;
        fail("a commit failed: " + failure.message);
      });
}

void admin_client::alter_a_config(broker::broker& served) {
  const std::int64_t value = ++config_.asked;
  ++operations_;
  served.alter_configs(
      {broker::resource_type::topic, "orders"},
      {{std::string(altered_config), std::to_string(value), broker::alter_operation::set}}, false,
      [this, value](result<std::monostate> altered) {
        if (altered.ok()) {
          ++answers_;
          config_.answered = std::max(config_.answered, value);
        } else {
          fail("a config failed: " + altered.failure().message);
        }
      });
}

void admin_client::allocate_a_producer_id(broker::broker& served) {
  ++operations_;
  served.init_producer_id(std::nullopt, std::nullopt,
                          [this](result<broker::producer_identity> made) {
                            if (!made.ok()) {
                              fail("a producer id failed: " + made.failure().message);
                            } else if (!producer_ids_.insert(made->id.value()).second) {
                              violation_ = fmt::format("producer id {} was given twice", made->id);
                            } else {
                              ++answers_;
                            }
                          });
}

// ---- admin_client: checking

violation admin_client::check(broker::broker& served, io::sim::world& world,
                              const io::sim::disk& drive) {
  violation_.reset();
  excused_ = false;
  if (violation found = check_topics(served, world, drive)) return found;
  if (violation found = check_config(served)) return found;
  return check_offsets(served, world, drive);
}

violation admin_client::check_topics(broker::broker& served, io::sim::world& world,
                                     const io::sim::disk& drive) {
  for (auto& [name, promised] : topics_) {
    const bool is_there = served.find_topic(name).has_value();
    if (promised.is == presence::present && !is_there) return name + " was created and is gone";
    if (promised.is == presence::absent && is_there) return name + " was deleted and is there";
    promised.is = is_there ? presence::present : presence::absent;
    if (!is_there) continue;
    broker_port port(served, {name, partition_id_t(0)}, world, drive);
    if (violation found = check_records(name, promised, port)) return found;
  }
  return std::nullopt;
}

violation admin_client::check_records(const std::string& name, topic& of, broker_port& port) {
  const auto bounds = port.ask_bounds();
  if (!bounds.ok()) return name + ": " + bounds.failure().message;
  std::vector<std::string> found;
  const status read = read_records(port, *bounds, random_, found);
  if (!read.ok()) return name + ": " + read.failure().message;
  if (found.size() < of.answered) {
    return fmt::format("{} has {} records, {} were acknowledged", name, found.size(), of.answered);
  }
  if (found.size() > of.values.size() ||
      !std::equal(found.begin(), found.end(), of.values.begin())) {
    return fmt::format("{} has other records than were sent in its life {}", name, of.life);
  }
  of.values = std::move(found);
  of.answered = of.values.size();
  return std::nullopt;
}

// What is found lies between what was answered and what was asked for, and is promised from now.
violation admin_client::check_promise(std::string_view what, std::int64_t found, promise& given) {
  if (found < given.answered || found > given.asked) {
    return fmt::format("{} is {}, between {} and {} were promised", what, found, given.answered,
                       given.asked);
  }
  given.answered = found;
  return std::nullopt;
}

violation admin_client::check_config(broker::broker& served) {
  const auto described = served.describe_configs({broker::resource_type::topic, "orders"});
  if (!described.ok()) return "configs: " + described.failure().message;
  std::int64_t found = -1;
  for (const broker::config_entry& entry : *described) {
    if (entry.name != altered_config || entry.source != broker::config_source::topic_config) {
      continue;
    }
    const std::string text = entry.value.value_or("");
    std::from_chars(text.data(), text.data() + text.size(), found);
  }
  return check_promise(altered_config, found, config_);
}

violation admin_client::check_offsets(broker::broker& served, io::sim::world& world,
                                      const io::sim::disk& drive) {
  if (offsets_.empty()) return std::nullopt;
  const auto fetch = [&] {
    return ask<broker::fetched_offsets>(world, drive, [&](auto done) {
      served.fetch_offsets({.group = std::string(group), .partitions = std::nullopt, .member = {}},
                           std::move(done));
    });
  };
  auto fetched = fetch();
  for (int attempt = 0;
       !fetched.ok() && fetched.code() == error_code::coordinator_loading && attempt < 1000;
       ++attempt) {
    world.run_for(milliseconds(10));
    fetched = fetch();
  }
  if (!fetched.ok()) return "offsets: " + fetched.failure().message;
  std::map<std::int32_t, std::int64_t> found;
  for (const auto& [source, offset] : *fetched) {
    if (offset) found[source.partition.value()] = offset->offset.value();
  }
  for (auto& [partition, given] : offsets_) {
    const auto one = found.find(partition);
    const std::int64_t offset = one == found.end() ? -1 : one->second;
    if (violation bad = check_promise("a committed offset", offset, given)) return bad;
  }
  return std::nullopt;
}

}  // namespace ringlog::sim
