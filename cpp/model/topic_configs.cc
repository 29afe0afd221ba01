#include <array>

#include "model/config_def.h"

namespace ringlog::model {
namespace {

using enum config_type;
using enum config_importance;

// name, type, default, valid values, importance, documentation, why it does not act yet
constexpr config_definition definitions[] = {
    {"cleanup.policy", list, "[delete]", "[compact, delete]", medium,
     "What becomes of old records: delete them by time and size, keep the latest of each key, or "
     "both.",
     ""},
    {"compression.gzip.level", int32, "-1", "[1,...,9] or -1", medium,
     "Level used when the broker compresses with gzip.", ""},
    {"compression.lz4.level", int32, "9", "[1,...,17]", medium,
     "Level used when the broker compresses with lz4.", ""},
    {"compression.type", string, "producer", "[uncompressed, zstd, lz4, snappy, gzip, producer]",
     medium, "Codec of the stored batches; producer keeps what was sent.", ""},
    {"compression.zstd.level", int32, "3", "[-131072,...,22]", medium,
     "Level used when the broker compresses with zstd.", ""},
    {"delete.retention.ms", int64, "86400000", "[0,...]", medium,
     "How long a compacted topic keeps tombstones.", "compaction is not built yet"},
    {"file.delete.delay.ms", int64, "60000", "[0,...]", medium,
     "Time between taking a segment out of the log and removing its files.", ""},
    {"flush.messages", int64, "9223372036854775807", "[1,...]", medium,
     "Records after which a log with ringlog.durability=page_cache is synced; others always are.",
     ""},
    {"flush.ms", int64, "9223372036854775807", "[0,...]", medium,
     "Time after which a log with ringlog.durability=page_cache is synced; others always are.", ""},
    {"follower.replication.throttled.replicas", list, "[]",
     "[partitionId]:[brokerId],[partitionId]:[brokerId],...", medium,
     "Replicas whose catching up is throttled on the follower's side.",
     "one node has no followers"},
    {"index.interval.bytes", int32, "4096", "[0,...]", medium,
     "Bytes of records between two entries of the offset index.", ""},
    {"internal.segment.bytes", int32, "null", "", medium,
     "Segment size below the limit of segment.bytes, for tests of Kafka.", "use segment.bytes"},
    {"leader.replication.throttled.replicas", list, "[]",
     "[partitionId]:[brokerId],[partitionId]:[brokerId],...", medium,
     "Replicas whose catching up is throttled on the leader's side.", "one node has no followers"},
    {"local.retention.bytes", int64, "-2", "[-2,...]", medium,
     "Size kept locally of a tiered topic; -2 means retention.bytes.",
     "there is no tiered storage"},
    {"local.retention.ms", int64, "-2", "[-2,...]", medium,
     "Time kept locally of a tiered topic; -2 means retention.ms.", "there is no tiered storage"},
    {"max.compaction.lag.ms", int64, "9223372036854775807", "[1,...]", medium,
     "Longest time that a record may stay uncompacted.", "compaction is not built yet"},
    {"max.message.bytes", int32, "1048588", "[0,...]", medium,
     "Largest record batch, after compression, with its header.", ""},
    {"message.timestamp.after.max.ms", int64, "3600000", "[0,...]", medium,
     "How far a record's timestamp may lie after the broker's clock.", ""},
    {"message.timestamp.before.max.ms", int64, "9223372036854775807", "[0,...]", medium,
     "How far a record's timestamp may lie before the broker's clock.", ""},
    {"message.timestamp.type", string, "CreateTime", "[CreateTime, LogAppendTime]", medium,
     "Whose clock a record's timestamp is from: the producer's or, at append, the broker's.", ""},
    {"min.cleanable.dirty.ratio", float64, "0.5", "[0,...,1]", medium,
     "Share of uncompacted bytes at which a log is compacted.", "compaction is not built yet"},
    {"min.compaction.lag.ms", int64, "0", "[0,...]", medium,
     "Shortest time that a record stays uncompacted.", "compaction is not built yet"},
    {"min.insync.replicas", int32, "1", "[1,...]", medium,
     "Replicas that must have a record before acks=all; at most the replicas there are.", ""},
    {"preallocate", boolean, "false", "", medium,
     "Whether a new segment file gets its full size on disk at once.",
     "segments grow as they are written"},
    {"remote.log.copy.disable", boolean, "false", "", medium,
     "Whether copying to tiered storage is stopped.", "there is no tiered storage"},
    {"remote.log.delete.on.disable", boolean, "false", "", medium,
     "Whether tiered data is removed when tiering is switched off.", "there is no tiered storage"},
    {"remote.storage.enable", boolean, "false", "", medium,
     "Whether the topic is tiered to remote storage.", "there is no tiered storage"},
    {"retention.bytes", int64, "-1", "", medium,
     "Size of a partition above which its oldest segments are deleted; -1 is no limit.", ""},
    {"retention.ms", int64, "604800000", "[-1,...]", medium,
     "Age above which segments are deleted; -1 is no limit.", ""},
    {"ringlog.durability", string, "fsync", "[fsync, page_cache, memory]", high,
     "When a record is acknowledged: on stable storage, in the system's page cache, or, only in "
     "memory: logs, in memory.",
     ""},
    {"segment.bytes", int32, "1073741824", "[1048576,...]", medium,
     "Size at which a segment is closed and the next begun.", ""},
    {"segment.index.bytes", int32, "10485760", "[4,...]", medium,
     "Size of an offset index; a full one closes the segment.", ""},
    {"segment.jitter.ms", int64, "0", "[0,...]", medium,
     "Random time taken off segment.ms, so that not all segments roll at once.", ""},
    {"segment.ms", int64, "604800000", "[1,...]", medium,
     "Age at which a segment is closed and the next begun.", ""},
    {"unclean.leader.election.enable", boolean, "false", "", medium,
     "Whether a replica that lags may become leader.", "one node has no other leader to elect"},
};

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;

// Topic config, then the broker configs that are its defaults, the strongest first.
struct synonym_row {
  std::string_view topic_name;
  std::array<topic_config_synonym, 3> synonyms{};
};

constexpr synonym_row synonym_rows[] = {
    {"cleanup.policy", {{{"log.cleanup.policy"}}}},
    {"compression.gzip.level", {{{"compression.gzip.level"}}}},
    {"compression.lz4.level", {{{"compression.lz4.level"}}}},
    {"compression.type", {{{"compression.type"}}}},
    {"compression.zstd.level", {{{"compression.zstd.level"}}}},
    {"delete.retention.ms", {{{"log.cleaner.delete.retention.ms"}}}},
    {"file.delete.delay.ms", {{{"log.segment.delete.delay.ms"}}}},
    {"flush.messages", {{{"log.flush.interval.messages"}}}},
    {"flush.ms", {{{"log.flush.interval.ms"}, {"log.flush.scheduler.interval.ms"}}}},
    {"index.interval.bytes", {{{"log.index.interval.bytes"}}}},
    {"local.retention.bytes", {{{"log.local.retention.bytes"}}}},
    {"local.retention.ms", {{{"log.local.retention.ms"}}}},
    {"max.compaction.lag.ms", {{{"log.cleaner.max.compaction.lag.ms"}}}},
    {"max.message.bytes", {{{"message.max.bytes"}}}},
    {"message.timestamp.after.max.ms", {{{"log.message.timestamp.after.max.ms"}}}},
    {"message.timestamp.before.max.ms", {{{"log.message.timestamp.before.max.ms"}}}},
    {"message.timestamp.type", {{{"log.message.timestamp.type"}}}},
    {"min.cleanable.dirty.ratio", {{{"log.cleaner.min.cleanable.ratio"}}}},
    {"min.compaction.lag.ms", {{{"log.cleaner.min.compaction.lag.ms"}}}},
    {"min.insync.replicas", {{{"min.insync.replicas"}}}},
    {"preallocate", {{{"log.preallocate"}}}},
    {"retention.bytes", {{{"log.retention.bytes"}}}},
    {"retention.ms",
     {{{"log.retention.ms"},
       {"log.retention.minutes", minute_ms},
       {"log.retention.hours", hour_ms}}}},
    {"ringlog.durability", {{{"ringlog.durability"}}}},
    {"segment.bytes", {{{"log.segment.bytes"}}}},
    {"segment.index.bytes", {{{"log.index.size.max.bytes"}}}},
    {"segment.jitter.ms", {{{"log.roll.jitter.ms"}, {"log.roll.jitter.hours", hour_ms}}}},
    {"segment.ms", {{{"log.roll.ms"}, {"log.roll.hours", hour_ms}}}},
    {"unclean.leader.election.enable", {{{"unclean.leader.election.enable"}}}},
};

}  // namespace

std::span<const config_definition> topic_configs() { return definitions; }

std::span<const topic_config_synonym> synonyms_of(std::string_view topic_config) {
  for (const synonym_row& row : synonym_rows) {
    if (row.topic_name != topic_config) continue;
    std::size_t count = 0;
    while (count < row.synonyms.size() && !row.synonyms[count].broker_name.empty()) ++count;
    return std::span(row.synonyms).first(count);
  }
  return {};
}

}  // namespace ringlog::model
