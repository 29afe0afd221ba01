from ringlog import errors
from ringlog.admin.config_resource import (
    AlterConfigOp,
    ConfigFilterType,
    ConfigResource,
    ConfigResourceType,
    ConfigSourceType,
    ConfigType,
)


class ConfigAdmin:
    """Configurations of topics and brokers; part of KafkaAdminClient."""

    def describe_configs(self, config_resources, include_synonyms=False, config_filter="modified"):
        """{"topic": {name: {key: {value, config_source, config_type, read_only, is_sensitive,
        synonyms}}}}.

        `config_filter`: "modified", "dynamic", "default", "static" or "all"; a resource's `configs`
        names the keys wanted (None: all).
        """
        wanted = ConfigFilterType.build_from(config_filter)
        described = {}
        for result in self._native.describe_configs(
            [
                (int(resource.resource_type), resource.name, _keys(resource.configs))
                for resource in config_resources
            ],
            bool(include_synonyms),
        ):
            _raise_error(result)
            kind = ConfigResourceType(result["resource_type"]).name.lower()
            described.setdefault(kind, {})[result["resource_name"]] = {
                config.pop("name"): _named(config)
                for config in result["configs"]
                if wanted.takes(ConfigSourceType(config["config_source"]), config["read_only"])
            }
        return described

    def alter_configs(
        self, config_resources, validate_only=False, raise_on_unknown=True, incremental=None
    ):
        """Sets what the resources' `configs` say and leaves the rest: {"topic": {name: "OK" or the
        error}}.

        A value None or the operation DELETE goes back to the default; APPEND and SUBTRACT change a
        list.
        """
        if raise_on_unknown:
            self._refuse_unknown(config_resources)
        altered = self._native.alter_configs(
            [
                (int(resource.resource_type), resource.name, _operations(resource.configs or {}))
                for resource in config_resources
            ],
            bool(validate_only),
        )
        results = {}
        for result in altered:
            kind = ConfigResourceType(result["resource_type"]).name.lower()
            error = result["error_code"] and errors.make_error(
                result["error_code"], result["error_message"]
            )
            results.setdefault(kind, {})[result["resource_name"]] = str(error) if error else "OK"
        return results

    def reset_configs(
        self, config_resources, validate_only=False, raise_on_unknown=True, incremental=None
    ):
        """The keys in the resources' `configs` go back to their defaults; no keys: all."""
        return self.alter_configs(
            [
                ConfigResource(
                    resource.resource_type,
                    resource.name,
                    {
                        key: (AlterConfigOp.DELETE, None)
                        for key in resource.configs or self._modified(resource)
                    },
                )
                for resource in config_resources
            ],
            validate_only,
            raise_on_unknown,
        )

    def _modified(self, resource):
        return self._described(resource, "modified")

    def _refuse_unknown(self, config_resources):
        for resource in config_resources:
            unknown = set(resource.configs or ()) - set(self._described(resource, "dynamic"))
            if unknown:
                names = ", ".join(sorted(unknown))
                raise errors.InvalidArgumentValueError(
                    f"{resource.name} has no config that could be altered named {names}"
                )

    def _described(self, resource, config_filter):
        bare = ConfigResource(resource.resource_type, resource.name)
        return self.describe_configs([bare], config_filter=config_filter)[
            resource.resource_type.name.lower()
        ][resource.name]


def _keys(configs):
    return None if configs is None else list(configs)


def _operations(configs):
    operations = []
    for key, given in configs.items():
        operation, value = given if isinstance(given, tuple) else (AlterConfigOp.SET, given)
        operation = AlterConfigOp.DELETE if value is None else AlterConfigOp.build_from(operation)
        value = None if operation is AlterConfigOp.DELETE else str(value)
        operations.append((key, int(operation), value))
    return operations


def _named(config):
    config["config_source"] = ConfigSourceType(config["config_source"]).name
    config["config_type"] = ConfigType(config["config_type"]).name
    for synonym in config.get("synonyms") or ():
        synonym["source"] = ConfigSourceType(synonym["source"]).name
    return config


def _raise_error(result):
    if result["error_code"]:
        raise errors.make_error(
            result["error_code"], result["error_message"] or result["resource_name"]
        )
