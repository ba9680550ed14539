// Limits files: a text is refused with a place and a reason, or every limit in it makes sense.
#include "api/limits_file.h"
#include "fuzz/bytes.h"

using namespace brigade;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto limits = api::read_limits(fuzz::text(data, size), "file");
  if (!limits) {
    fuzz::require(limits.error().message.starts_with("file:"));
    return 0;
  }
  for (const bucket::LimitSpec& limit : *limits) {
    fuzz::require(bucket::validate(limit).has_value());
  }
  return 0;
}
