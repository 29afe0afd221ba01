import logging
import struct

from ringlog import errors
from ringlog.admin.group import GroupState, GroupType, MemberToRemove
from ringlog.coordinator.protocol import ConsumerProtocolAssignment, ConsumerProtocolSubscription
from ringlog.enums import OffsetSpec, OffsetTimestamp
from ringlog.structs import GroupInformation, MemberInformation, OffsetAndMetadata, TopicPartition

log = logging.getLogger(__name__)


class GroupAdmin:
    """Groups and their offsets, by the names of kafka-python 3.x and 2.x; part of KafkaAdminClient.

    `broker_ids` and `group_coordinator_id` are taken for compatibility: an embedded log is one
    broker.
    """

    def list_groups(self, broker_ids=None, states_filter=None, types_filter=None):
        """List of dicts: group_id, protocol_type, group_state, group_type."""
        return self._native.list_groups(
            [GroupState.value_for(state) for state in states_filter or ()],
            [GroupType.value_for(kind) for kind in types_filter or ()],
        )

    def list_consumer_groups(self, broker_ids=None):
        """List of (group_id, protocol_type)."""
        return [(group["group_id"], group["protocol_type"]) for group in self.list_groups()]

    def describe_groups(
        self, group_ids, group_coordinator_id=None, include_authorized_operations=False
    ):
        """{group_id: {error (text or None), group_state, protocol_type, protocol_data, members}}.

        A member: member_id, group_instance_id, client_id, client_host, member_metadata,
        member_assignment; the last two decoded where the group is of consumers.
        """
        return {
            group["group_id"]: _described(group)
            for group in self._native.describe_groups(_ids(group_ids))
        }

    def describe_consumer_groups(
        self, group_ids, group_coordinator_id=None, include_authorized_operations=False
    ):
        """List of GroupInformation."""
        return [
            GroupInformation(
                group["error_code"],
                group["group_id"],
                group["group_state"],
                group["protocol_type"],
                group["protocol_data"],
                [_member_information(member) for member in group["members"]],
                None,
            )
            for group in self._native.describe_groups(_ids(group_ids))
        ]

    def delete_groups(self, group_ids, group_coordinator_id=None):
        """{group_id: "OK" or the error's name}."""
        return {
            group_id: error.__name__ if error.errno else "OK"
            for group_id, error in self.delete_consumer_groups(group_ids)
        }

    def delete_consumer_groups(self, group_ids, group_coordinator_id=None):
        """List of (group_id, error class; NoError when it is gone)."""
        return [
            (group_id, errors.for_code(code))
            for group_id, code in self._native.delete_groups(_ids(group_ids))
        ]

    def list_group_offsets(self, group_specs):
        """{group_id: {TopicPartition: OffsetAndMetadata}}, for a group, a list, or {group_id:
        partitions or None}.
        """
        if isinstance(group_specs, str):
            group_specs = [group_specs]
        if not isinstance(group_specs, dict):
            group_specs = dict.fromkeys(group_specs)
        return {
            group_id: self.list_consumer_group_offsets(group_id, partitions=partitions)
            for group_id, partitions in group_specs.items()
        }

    def list_consumer_group_offsets(self, group_id, group_coordinator_id=None, partitions=None):
        """{TopicPartition: OffsetAndMetadata}; partitions None: all that the group committed."""
        wanted = (
            None if partitions is None else [TopicPartition(*partition) for partition in partitions]
        )
        found = self._native.list_group_offsets(group_id, wanted)
        for partition, (*_, error_code) in found.items():
            if error_code:
                raise errors.make_error(error_code, f"the offset of {group_id} for {partition}")
        return {
            partition: OffsetAndMetadata(offset, metadata, epoch)
            for partition, (offset, metadata, epoch, _) in found.items()
        }

    def alter_group_offsets(self, group_id, offsets, group_coordinator_id=None):
        """{TopicPartition: OffsetAndMetadata or offset}: {TopicPartition: error class}; the group
        must have no members.
        """
        return (
            {
                partition: errors.for_code(code)
                for partition, code in self._native.alter_group_offsets(
                    group_id,
                    {
                        TopicPartition(*partition): _committable(offset)
                        for partition, offset in offsets.items()
                    },
                ).items()
            }
            if offsets
            else {}
        )

    def reset_group_offsets(self, group_id, offset_specs, group_coordinator_id=None):
        """{TopicPartition: OffsetSpec, OffsetTimestamp or an offset}: {TopicPartition: {error,
        offset}}.

        What lies outside the partition is moved to its nearest end; a time after the last record
        means the end.
        """
        earliest = self.list_partition_offsets(dict.fromkeys(offset_specs, OffsetSpec.EARLIEST))
        latest = self.list_partition_offsets(dict.fromkeys(offset_specs, OffsetSpec.LATEST))
        looked_up = self.list_partition_offsets(
            {
                partition: spec
                for partition, spec in offset_specs.items()
                if isinstance(spec, (OffsetSpec, OffsetTimestamp))
            }
        )
        targets = {}
        for partition, spec in offset_specs.items():
            offset = looked_up[partition].offset if partition in looked_up else spec
            end = latest[partition].offset
            targets[partition] = (
                end if offset < 0 else min(max(offset, earliest[partition].offset), end)
            )
        altered = self.alter_group_offsets(group_id, targets)
        return {
            partition: {"error": error, "offset": targets[partition]}
            for partition, error in altered.items()
        }

    def delete_group_offsets(self, group_id, partitions, group_coordinator_id=None):
        """{TopicPartition: error class}."""
        deleted = self._native.delete_group_offsets(
            group_id, [TopicPartition(*partition) for partition in partitions]
        )
        return {partition: errors.for_code(code) for partition, code in deleted.items()}

    def remove_group_members(self, group_id, members, group_coordinator_id=None):
        """MemberToRemove: {MemberToRemove: error class}."""
        members = [MemberToRemove(*member) for member in members]
        reason = next((member.reason for member in members if member.reason), "")
        removed = self._native.remove_group_members(
            group_id,
            [(member.member_id or "", member.group_instance_id) for member in members],
            reason,
        )
        return {
            MemberToRemove(member_id or None, instance_id): errors.for_code(code)
            for member_id, instance_id, code in removed
        }


def _ids(group_ids):
    return [group_ids] if isinstance(group_ids, str) else list(group_ids)


def _described(group):
    code, message = group.pop("error_code"), group.pop("error_message")
    group["error"] = str(errors.make_error(code, message or "")) if code else None
    for member in group["members"]:
        member.update(_decoded(member))
    return group


def _member_information(member):
    member.update(_decoded(member))
    return MemberInformation(*(member[name] for name in MemberInformation._fields))


def _decoded(member):
    """What the member and its leader said in the consumer protocol; the bytes themselves where it
    is another's.
    """
    try:
        return {
            name: kind.decode(member[name]) if member[name] else member[name]
            for name, kind in (
                ("member_metadata", ConsumerProtocolSubscription),
                ("member_assignment", ConsumerProtocolAssignment),
            )
        }
    except (struct.error, UnicodeDecodeError):
        log.debug("%s does not speak the consumer protocol", member["member_id"])
        return {}


def _committable(given):
    if isinstance(given, int):
        return OffsetAndMetadata(given)
    offset, metadata, leader_epoch = OffsetAndMetadata(*given)
    return OffsetAndMetadata(offset, metadata or "", -1 if leader_epoch is None else leader_epoch)
