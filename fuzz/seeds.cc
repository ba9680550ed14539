// Writes the first inputs of every fuzzer: FOLDER/TARGET/NUMBER.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/endian.h"
#include "node/replica_id.h"
#include "storage/layout.h"
#include "tests/wire/samples.h"
#include "wire/founding_codec.h"
#include "wire/gossip_codec.h"
#include "wire/peer_codec.h"
#include "wire/store_codec.h"

using namespace brigade;

namespace {

class Corpus {
 public:
  Corpus(const std::string& root, const char* target) : folder_(root + "/" + target) {
    std::filesystem::create_directories(folder_);
  }
  void add(const std::string& bytes) {
    std::ofstream(folder_ + "/seed" + std::to_string(next_++), std::ios::binary) << bytes;
  }

 private:
  std::string folder_;
  int next_ = 0;
};

std::string spoken(std::uint8_t from, const std::string& frame) {
  std::string out(1, static_cast<char>(from));
  out.push_back(20);
  base::append_le(out, static_cast<std::uint16_t>(frame.size()));
  return out + frame;
}

void peers(Corpus corpus) {
  std::string all;
  for (std::size_t kind = 0; kind < std::variant_size_v<node::PeerMessage>; ++kind) {
    wire::Sampler sampler(kind);
    const auto message = sampler.make_alternative<node::PeerMessage>(kind);
    corpus.add(spoken(0, wire::encode(message)));
    all += spoken(1, wire::encode(message));
  }
  for (std::size_t kind = 0; kind < std::variant_size_v<raft::Body>; ++kind) {
    wire::Sampler sampler(100 + kind);
    wire::ShardMessage message{.shard = base::ShardId(0), .message = {}};
    message.message.from = node::replica_id(base::NodeId(2), 0);
    message.message.to = node::replica_id(base::NodeId(1), 0);
    message.message.term = raft::Term(2);
    message.message.body = sampler.make_alternative<raft::Body>(kind);
    corpus.add(spoken(0, wire::encode(message)));
    all += spoken(0, wire::encode(message));
  }
  corpus.add(all);
}

void memberships(Corpus corpus) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    wire::Sampler sampler(seed);
    gossip::Datagram datagram;
    datagram.body = sampler.make_alternative<decltype(datagram.body)>(
        seed % std::variant_size_v<decltype(datagram.body)>);
    corpus.add('\0' + wire::encode(datagram));
    corpus.add('\1' + wire::encode(sampler.make<gossip::StreamMessage>()));
    corpus.add('\2' + wire::encode(sampler.make<gossip::FoundingMessage>()));
    corpus.add('\3' + wire::encode(sampler.make<gossip::Charter>()));
  }
}

void storage_values(Corpus corpus) {
  const wire::StoreCodec codec;
  for (std::size_t kind = 0; kind < std::variant_size_v<node::Command>; ++kind) {
    wire::Sampler sampler(200 + kind);
    corpus.add('\3' + codec.encode(sampler.make_alternative<node::Command>(kind)));
  }
  for (std::size_t kind = 0; kind < std::variant_size_v<node::StateRecord>; ++kind) {
    wire::Sampler sampler(300 + kind);
    corpus.add('\4' + codec.encode(sampler.make_alternative<node::StateRecord>(kind)));
  }
  corpus.add(std::string(1, '\2') + storage::encode(raft::HardState{}));
  corpus.add(std::string(1, '\1') + storage::encode(storage::SnapshotMark{}));
}

void texts(const std::string& root) {
  Corpus resp(root, "resp");
  for (const char* command :
       {"PING\r\n", "*1\r\n$4\r\nPING\r\n", "HELLO 3\r\nINFO\r\n",
        "*5\r\n$11\r\nCL.THROTTLE\r\n$1\r\na\r\n$2\r\n15\r\n$2\r\n30\r\n$2\r\n60\r\n",
        "BRIGADE.ACQUIRE api KEY k COST 2.5 WAIT 10 PRIORITY c RESERVE ID i\r\n",
        "BRIGADE.SETTLE 1-2-3 4\r\nBRIGADE.PEEK api\r\nQUIT\r\n"}) {
    resp.add("7" + std::string(command));
  }
  Corpus http(root, "http");
  for (const char* request :
       {"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nHEAD /healthz HTTP/1.0\r\n\r\n",
        "POST /v1/acquire HTTP/1.1\r\nContent-Length: 45\r\n\r\n"
        R"({"limit":"a","key":"k","cost":1,"wait_ms":20})",
        "POST /v1/acquire HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n"
        R"({"limit":"api"})"
        "\r\n0\r\n\r\n",
        "PUT /v1/limits?prune=true HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"
        "limits: []"}) {
    http.add("7" + std::string(request));
  }
  Corpus limits(root, "limits");
  limits.add(
      "limits:\n  - name: a\n    rate: 90/30s\n    burst: 2000\n    per: key\n"
      "    bucket: {min: 0, max: 5, threshold_high: .85, growth: 1.5}\n"
      "    lend: {enabled: true, max_share: .5, reserve: 0}\n    fairness: karma\n"
      "    priorities: {batch: .2}\n    queue: {max_wait: 5s, max_waiting: 10}\n"
      "    on_isolated: keep\n    shadow: true\n    max_keys: 7\n"
      "  - {name: b, rate: 1/s, burst: 1, mode: strict}\n");
  Corpus trace(root, "trace");
  trace.add("t_s,key,cost\n0,a,1\n0.5,\"b\"\"c\",2.5\n");
  trace.add("1.5\n2\n");
  trace.add("host - - [01/Jul/1995:00:00:01 -0400] \"GET / HTTP/1.0\" 200 6245\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
    return 2;
  }
  const std::string root = argv[1];
  peers(Corpus(root, "peer"));
  memberships(Corpus(root, "gossip"));
  storage_values(Corpus(root, "storage"));
  texts(root);
  return 0;
}
