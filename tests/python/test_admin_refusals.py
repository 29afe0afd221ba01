"""What an admin client of this version refuses by name: ACLs, transactions, passwords."""

import pytest
from ringlog import TopicPartition, errors
from ringlog.admin import (
    ACL,
    AbortTransactionSpec,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

ANNA_READS = ("User:anna", "*", ACLOperation.READ, ACLPermissionType.ALLOW)


@pytest.fixture
def admin(anywhere):
    with KafkaAdminClient(bootstrap_servers=anywhere) as client:
        yield client


def test_acls_are_refused(admin):
    entry = ACL(*ANNA_READS, ResourcePattern(ResourceType.TOPIC, "t"))
    everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    wanted = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
    refused = (errors.SecurityDisabledError, errors.NotYetSupportedError)
    for call, given in (
        (admin.describe_acls, wanted),
        (admin.create_acls, [entry]),
        (admin.delete_acls, [wanted]),
    ):
        with pytest.raises(refused, match="Acls"):
            call(given)
    with pytest.raises(errors.IllegalArgumentError):
        admin.create_acls([wanted])


def test_a_log_of_this_process_has_no_authorizer():
    everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    wanted = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
    with KafkaAdminClient(bootstrap_servers="memory:") as admin:
        with pytest.raises(errors.SecurityDisabledError):
            admin.describe_acls(wanted)


def test_acls_are_values():
    pattern = ResourcePattern(ResourceType.TOPIC, "t")
    assert len({ACL(*ANNA_READS, pattern), ACL(*ANNA_READS, pattern)}) == 1
    with pytest.raises(errors.IllegalArgumentError):
        ResourcePattern(ResourceType.ANY, "t")
    with pytest.raises(errors.IllegalArgumentError):
        ACL("User:anna", "*", ACLOperation.ANY, ACLPermissionType.ALLOW, pattern)
    with pytest.raises(errors.IllegalArgumentError):
        ACLFilter("User:anna", "*", "read", ACLPermissionType.ALLOW, pattern)


def test_transactions_and_passwords_are_refused(admin):
    for call in (
        admin.list_transactions,
        lambda: admin.describe_transactions(["x"]),
        admin.find_hanging_transactions,
        lambda: admin.abort_transaction(AbortTransactionSpec(TopicPartition("t", 0), 1, 0)),
        admin.describe_user_scram_credentials,
        lambda: admin.alter_user_scram_credentials([]),
    ):
        with pytest.raises(errors.UnsupportedVersionError, match="this version"):
            call()


def test_a_password_is_kept_as_a_salted_hash_only():
    upsertion = UserScramCredentialUpsertion("anna", "SCRAM-SHA-256", "secret", salt=b"salt")
    assert upsertion.mechanism is ScramMechanism.SCRAM_SHA_256
    assert upsertion.iterations == 4096 and len(upsertion.salted_password) == 32
    assert "secret" not in repr(vars(upsertion))
    assert UserScramCredentialDeletion("anna", 2).mechanism is ScramMechanism.SCRAM_SHA_512
