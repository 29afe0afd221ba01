#include "protocol/wire/api.h"

#include <algorithm>

#include "base/check.h"

namespace ringlog::protocol {

const api_info* find_api(std::int16_t key) {
  const auto found = std::ranges::lower_bound(api_table, key, {}, &api_info::key);
  return found != api_table.end() && found->key == key ? &*found : nullptr;
}

const api_info& info_of(api_key key) {
  const api_info* found = find_api(static_cast<std::int16_t>(key));
  CHECK(found != nullptr, "an API that is in no table", static_cast<std::int16_t>(key));
  return *found;
}

result<request_frame> read_request_frame(bytes_view frame) {
  // Both stand at the same place in every version of the header.
  reader front(frame);
  const auto key = front.read_integer<std::int16_t>();
  const auto version = front.read_integer<std::int16_t>();
  TRY(front.finish_early("request header"));
  const api_info* api = find_api(key);
  if (api == nullptr) {
    return make_error(error_code::unsupported, "no API has the key {} (version {})", key, version);
  }
  reader in(frame);
  request_frame read;
  read.header = request_header::decode(in, api->request_header_version(version));
  read.api = api;
  read.body = in.read_view(in.bytes_left());
  TRY(in.finish("request header"));
  return read;
}

}  // namespace ringlog::protocol
