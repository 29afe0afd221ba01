from ringlog import _native, config
from ringlog.admin._acls import AclAdmin
from ringlog.admin._configs import ConfigAdmin
from ringlog.admin._groups import GroupAdmin
from ringlog.admin._lag import LagAdmin
from ringlog.admin._topics import TopicAdmin
from ringlog.admin._transactions import TransactionAdmin
from ringlog.admin._users import UserAdmin


class KafkaAdminClient(
    TopicAdmin, ConfigAdmin, GroupAdmin, LagAdmin, AclAdmin, TransactionAdmin, UserAdmin
):
    """Topics, configurations and groups of a log; thread-safe.

    Options are those of kafka-python (`ringlog.config`), and so are the methods, by their names of
    3.x and 2.x. What concerns a whole call is raised; timeouts are in ms, None means
    `request_timeout_ms`.
    """

    DEFAULT_CONFIG = config.defaults("KafkaAdminClient")

    def __init__(self, **configs):
        self.config, log = config.parse("KafkaAdminClient", configs)
        self._has_hosts = bool(log.hosts)
        self._native = _native.Admin(
            {
                **config.opening(self.config, log),
                **{
                    name: self.config[name]
                    for name in ("client_id", "request_timeout_ms", "default_api_timeout_ms")
                },
            }
        )

    def describe_cluster(self):
        """Dict: cluster_id, controller_id, brokers: [{broker_id, node_id, host, port, rack}]."""
        cluster = self._native.describe_cluster()
        for broker in cluster["brokers"]:
            broker["node_id"] = broker["broker_id"]
        return cluster

    def close(self):
        self._native.close()

    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        self.close()

    def _timeout_ms(self, timeout_ms):
        return self.config["request_timeout_ms"] if timeout_ms is None else int(timeout_ms)
