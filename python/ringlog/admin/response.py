from ringlog import errors


class Response(dict):
    """A result: keys as kafka-python 3.x returns, attributes as the response objects of 2.x."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def topic_errors(self):
        """[(topic, error code, message)], of creations."""
        return [(item["name"], item["error_code"], item["error_message"]) for item in self._items()]

    @property
    def topic_error_codes(self):
        """[(topic, error code)], of deletions."""
        return [(item["name"], item["error_code"]) for item in self._items()]

    def _items(self):
        return self.get("topics") or self.get("results") or []


def checked(items, raise_errors=True):
    """Items with `error_code` and `error_message` as Responses; raises the first error."""
    for item in items:
        if raise_errors and item["error_code"]:
            raise errors.make_error(
                item["error_code"], item["error_message"] or item.get("name", "")
            )
    return [Response(item) for item in items]
