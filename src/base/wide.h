// 128-bit products, so that tokens x nanoseconds never overflow.
#pragma once

namespace brigade::base {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

}  // namespace brigade::base
