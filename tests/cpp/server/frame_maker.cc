#include "server/frame_maker.h"

#include <array>
#include <limits>

#include "golden.h"
#include "protocol/wire/api_list.h"
#include "protocol/wire_messages.h"
#include "server/wire_client.h"

namespace ringlog::server {
namespace {

// Where lengths, counts, ids and offsets tend to go wrong.
constexpr std::array<std::int32_t, 10> odd_numbers{0,
                                                   -1,
                                                   -2,
                                                   1,
                                                   127,
                                                   128,
                                                   0x7fff,
                                                   0x10000,
                                                   std::numeric_limits<std::int32_t>::max(),
                                                   std::numeric_limits<std::int32_t>::min()};

std::vector<byte_buffer> recorded_requests() {
  std::vector<byte_buffer> found;
  if (!golden::available()) return found;
  for (const auto& file : std::filesystem::directory_iterator(golden::folder() / "frames")) {
    std::ifstream lines(file.path());
    for (std::string line; std::getline(lines, line);) {
      found.push_back(golden::from_hex(golden::json::parse(line).at("request_hex")));
    }
  }
  return found;
}

// Of any API that we know, served or not.
byte_buffer random_request(random_source& random) {
  const auto& all = protocol::requests_and_responses();
  const auto& message = all[random.below(all.size() / 2) * 2];  // its response follows
  const protocol::api_info& api = *protocol::find_api(message.info.api_key);
  const auto versions = static_cast<std::uint64_t>(api.highest_version - api.lowest_version + 1);
  protocol::request_header header;
  header.request_api_key = api.key;
  header.request_api_version =
      static_cast<std::int16_t>(api.lowest_version + static_cast<int>(random.below(versions)));
  header.client_id = "fuzzed";
  byte_buffer bytes =
      protocol::encode_message(header, api.request_header_version(header.request_api_version))
          .value();
  append(bytes, message.make(random, header.request_api_version));
  return bytes;
}

}  // namespace

frame_maker::frame_maker(random_source& random) : random_(random), recorded_(recorded_requests()) {}

byte_buffer frame_maker::next() {
  byte_buffer request = sound_request();
  for (std::uint64_t count = random_.below(4); count > 0; --count) damage(request);
  byte_buffer frame = wire_client::framed(request);
  if (random_.one_in(50)) store_be(frame.data(), odd_numbers[random_.below(odd_numbers.size())]);
  if (random_.one_in(50)) {
    store_be(frame.data(), static_cast<std::int32_t>(random_.below(2 * frame.size())));
  }
  return frame;
}

byte_buffer frame_maker::sound_request() {
  if (recorded_.empty() || random_.one_in(3)) return random_request(random_);
  return recorded_[random_.below(recorded_.size())];
}

void frame_maker::damage(byte_buffer& request) {
  if (request.size() < 8) return;
  switch (random_.below(7)) {
    case 0:
      request[place_in(request)] = static_cast<std::byte>(random_.next());
      break;
    case 1:
      request[place_in(request)] ^= static_cast<std::byte>(1U << random_.below(8));
      break;
    case 2:
      store_be(request.data() + random_.below(request.size() - 3),
               odd_numbers[random_.below(odd_numbers.size())]);
      break;
    case 3:
      request.resize(place_in(request));
      break;
    case 4: {  // a part of it once more, or of another one
      const byte_buffer other = random_.one_in(2) ? sound_request() : request;
      const std::size_t from = place_in(other);
      append(request, bytes_view(other).subspan(from, random_.below(other.size() - from)));
      break;
    }
    case 5: {
      const std::size_t from = place_in(request);
      const auto size = random_.below(std::min<std::size_t>(request.size() - from, 16));
      const auto first = request.begin() + static_cast<std::ptrdiff_t>(from);
      request.erase(first, first + static_cast<std::ptrdiff_t>(size));
      break;
    }
    default:  // another API or version
      store_be(request.data() + 2 * random_.below(2),
               static_cast<std::int16_t>(random_.below(100)) - 1);
  }
}

}  // namespace ringlog::server
