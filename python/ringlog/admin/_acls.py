from ringlog import errors
from ringlog.admin.acl_resource import ACL, ACLFilter


class AclAdmin:
    """Access control lists; part of KafkaAdminClient. Refused: a log of this process has no
    authorizer (SecurityDisabledError), and brokers across a network are not asked for theirs yet
    (NotYetSupportedError).
    """

    def describe_acls(self, acl_filter):
        """SecurityDisabledError, or NotYetSupportedError where hosts are named."""
        self._refuse_acls("DescribeAcls", ACLFilter, [acl_filter])

    def create_acls(self, acls):
        """SecurityDisabledError, or NotYetSupportedError where hosts are named."""
        self._refuse_acls("CreateAcls", ACL, acls)

    def delete_acls(self, acl_filters):
        """SecurityDisabledError, or NotYetSupportedError where hosts are named."""
        self._refuse_acls("DeleteAcls", ACLFilter, acl_filters)

    def _refuse_acls(self, api, kind, given):
        for each in given:
            if not isinstance(each, kind):
                raise errors.IllegalArgumentError(f"{each!r} is no {kind.__name__}")
        if self._has_hosts:
            raise errors.NotYetSupportedError(f"{api}: this version does not ask brokers for it")
        raise errors.SecurityDisabledError(f"{api}: no authorizer is configured")
