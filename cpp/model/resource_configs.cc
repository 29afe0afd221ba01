#include "model/resource_configs.h"

#include <array>

namespace ringlog::model {
namespace {

using enum config_type;
using enum config_importance;

constexpr std::string_view no_shares = "there are no share groups yet";
constexpr std::string_view no_streams = "there are no streams groups yet";

constexpr std::array of_groups{
    config_definition{"consumer.assignment.interval.ms", int32, "1000", "[0,...]", medium,
                      "How long after one assignment the next may be made.", ""},
    config_definition{"consumer.heartbeat.interval.ms", int32, "5000", "[1,...]", medium,
                      "How often members of the group say that they live.", ""},
    config_definition{"consumer.session.timeout.ms", int32, "45000", "[1,...]", medium,
                      "After how long a silent member is taken for dead.", ""},
    config_definition{"share.assignment.interval.ms", int32, "1000", "[0,...]", medium, "",
                      no_shares},
    config_definition{"share.auto.offset.reset", string, "latest", "", medium, "", no_shares},
    config_definition{"share.delivery.count.limit", int32, "5", "[2,...]", medium, "", no_shares},
    config_definition{"share.heartbeat.interval.ms", int32, "5000", "[1,...]", medium, "",
                      no_shares},
    config_definition{"share.isolation.level", string, "read_uncommitted",
                      "[read_committed, read_uncommitted]", medium, "", no_shares},
    config_definition{"share.partition.max.record.locks", int32, "2000", "[100,...]", medium, "",
                      no_shares},
    config_definition{"share.record.lock.duration.ms", int32, "30000", "[1000,...]", medium, "",
                      no_shares},
    config_definition{"share.renew.acknowledge.enable", boolean, "true", "", medium, "", no_shares},
    config_definition{"share.session.timeout.ms", int32, "45000", "[1,...]", medium, "", no_shares},
    config_definition{"streams.assignment.interval.ms", int32, "1000", "[0,...]", medium, "",
                      no_streams},
    config_definition{"streams.heartbeat.interval.ms", int32, "5000", "[1,...]", medium, "",
                      no_streams},
    config_definition{"streams.initial.rebalance.delay.ms", int32, "3000", "[0,...]", medium, "",
                      no_streams},
    config_definition{"streams.num.standby.replicas", int32, "0", "[0,...]", medium, "",
                      no_streams},
    config_definition{"streams.session.timeout.ms", int32, "45000", "[1,...]", medium, "",
                      no_streams},
};

constexpr std::array of_client_metrics{
    config_definition{"interval.ms", int32, "300000", "", medium,
                      "How often clients send the metrics.", ""},
    config_definition{"match", list, "[]", "", medium,
                      "Which clients: NAME=PATTERN each, all of which have to fit.", ""},
    config_definition{"metrics", list, "[]", "", medium,
                      "Beginnings of the names of the metrics that are wanted; * for all.", ""},
};

}  // namespace

std::span<const config_definition> group_configs() { return of_groups; }
std::span<const config_definition> client_metrics_configs() { return of_client_metrics; }

}  // namespace ringlog::model
