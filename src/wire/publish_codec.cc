#include "wire/publish_codec.h"

#include <string>
#include <utility>

#include "gossip/messages.h"
#include "schema/node.capnp.h"
#include "wire/envelope.h"

namespace brigade::wire {

// Not in an unnamed namespace, because there the templates of envelope.h would not find these.

static void put(Pen, schema::MemberMeta::Builder to, const node::MemberMeta& meta) {
  to.setRedis(text(meta.redis));
  to.setHttp(text(meta.http));
  to.setEnvoy(text(meta.envoy));
  to.setRegion(text(meta.region));
  to.setZone(text(meta.zone));
  to.setVersion(text(meta.version));
}
static void get(schema::MemberMeta::Reader from, node::MemberMeta& meta, Checks&) {
  meta.redis = to_text(from.getRedis());
  meta.http = to_text(from.getHttp());
  meta.envoy = to_text(from.getEnvoy());
  meta.region = to_text(from.getRegion());
  meta.zone = to_text(from.getZone());
  meta.version = to_text(from.getVersion());
}

static void put(Pen, schema::NodeDigest::Lead::Builder to, const node::LeadReport& lead) {
  to.setShard(lead.shard.value());
  to.setTerm(lead.term);
}
static void get(schema::NodeDigest::Lead::Reader from, node::LeadReport& lead, Checks&) {
  lead = {.shard = base::ShardId(from.getShard()), .term = from.getTerm()};
}

static void put(Pen, schema::NodeDigest::Free::Builder to, const node::FreeReport& free) {
  to.setLimit(free.limit);
  to.setTokens(free.free.micro());
  to.setStarving(free.starving);
}
static void get(schema::NodeDigest::Free::Reader from, node::FreeReport& free, Checks& checks) {
  free = {.limit = from.getLimit(),
          .free = checks.tokens(from.getTokens()),
          .starving = from.getStarving()};
}

static void put(Pen, schema::NodeDigest::Load::Builder to, const node::LoadDigest& load) {
  to.setCpuPermille(load.cpu_permille);
  to.setMemoryBytes(load.memory_bytes);
  to.setMemoryLimitBytes(load.memory_limit_bytes);
  to.setNetInBps(load.net_in_bps);
  to.setNetOutBps(load.net_out_bps);
  to.setRequestUsP99(load.request_us_p99);
  to.setRedisUsP99(load.redis_us_p99);
  to.setHttpUsP99(load.http_us_p99);
  to.setQueueUs(load.queue_us);
  to.setOfferedPerS(load.offered_per_s);
  to.setPressed(load.pressed);
}
static void get(schema::NodeDigest::Load::Reader from, node::LoadDigest& load, Checks&) {
  load = {.cpu_permille = from.getCpuPermille(),
          .memory_bytes = from.getMemoryBytes(),
          .memory_limit_bytes = from.getMemoryLimitBytes(),
          .net_in_bps = from.getNetInBps(),
          .net_out_bps = from.getNetOutBps(),
          .request_us_p99 = from.getRequestUsP99(),
          .redis_us_p99 = from.getRedisUsP99(),
          .http_us_p99 = from.getHttpUsP99(),
          .queue_us = from.getQueueUs(),
          .offered_per_s = from.getOfferedPerS(),
          .pressed = from.getPressed()};
}

static void put(Pen pen, schema::NodeDigest::Builder to, const node::NodeDigest& digest) {
  put(pen, to.initLoad(), digest.load);
  to.setDraining(digest.draining);
  to.setLeaving(digest.leaving);
  put_each(pen, to.initLeads(size_of(digest.leads)), digest.leads);
  put_ids(to.initConfigs(size_of(digest.configs)), digest.configs);
  put_each(pen, to.initFree(size_of(digest.free)), digest.free);
}
static void get(schema::NodeDigest::Reader from, node::NodeDigest& digest, Checks& checks) {
  get(from.getLoad(), digest.load, checks);
  digest.draining = from.getDraining();
  digest.leaving = from.getLeaving();
  get_each(from.getLeads(), digest.leads, checks);
  get_ids(from.getConfigs(), digest.configs, checks);
  get_each(from.getFree(), digest.free, checks);
  checks.expect(digest.free.size() <= node::NodeDigest::kMaxFreeReports,
                "too many reports of free tokens");
}

// False when there is nothing left to leave out.
static bool shorten(node::NodeDigest& digest) {
  if (!digest.free.empty()) {
    digest.free.pop_back();
  } else if (!digest.leads.empty()) {
    digest.leads.pop_back();
  } else if (!digest.configs.empty()) {
    digest.configs.pop_back();
  } else {
    return false;
  }
  return true;
}

base::Result<base::Bytes> encode(const node::MemberMeta& meta) {
  std::string bytes = encode_root<schema::MemberMeta>(meta, Packing::kPacked);
  if (bytes.size() > gossip::kMetaMax) {
    return base::Error{
        "addresses of the front doors, region, zone and version are too long together: at most "
        "about 480 bytes"};
  }
  return base::Bytes(std::move(bytes));
}

base::Bytes encode(const node::NodeDigest& digest) {
  std::string bytes = encode_root<schema::NodeDigest>(digest, Packing::kPacked);
  if (bytes.size() > gossip::kDigestMax) {
    node::NodeDigest shorter = digest;
    while (bytes.size() > gossip::kDigestMax && shorten(shorter)) {
      bytes = encode_root<schema::NodeDigest>(shorter, Packing::kPacked);
    }
  }
  return base::Bytes(std::move(bytes));
}

base::Result<node::MemberMeta> decode_meta(std::string_view bytes) {
  return decode_root<schema::MemberMeta, node::MemberMeta>(bytes, Packing::kPacked);
}

base::Result<node::NodeDigest> decode_digest(std::string_view bytes) {
  return decode_root<schema::NodeDigest, node::NodeDigest>(bytes, Packing::kPacked);
}

}  // namespace brigade::wire
