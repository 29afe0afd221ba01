#include "client/open_log.h"

#include <utility>

#include "client/embedded_transport.h"
#include "client/remote/remote_transport.h"
#include "node/node.h"

namespace ringlog::client {

result<std::shared_ptr<transport>> open_log(std::string_view address,
                                            const model::config_map& settings,
                                            remote::remote_options options,
                                            const wait_limit& limit) {
  auto opened = node::open(address, settings);
  if (opened.ok()) return make_embedded_transport(std::move(opened).value());
  if (opened.code() != error_code::locked) return std::move(opened.failure());
  TRY_ASSIGN(const node::log_address parsed, node::parse_address(address));
  model::config_map wanted = settings;
  wanted.merge(model::config_map(parsed.settings));
  return remote::connect_to_owner(parsed, wanted, std::move(options), limit);
}

}  // namespace ringlog::client
