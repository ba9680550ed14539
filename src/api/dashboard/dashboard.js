// The cluster as this node sees it: asks for /v1/status once a second and draws it. Rates per second
// are differences of totals, which count from each node's start; those of other nodes come by gossip
// now and then, so they are taken over some seconds.
'use strict';

const EVERY_MS = 1000;
const KEPT = 120;  // points of a curve
const RATED_OVER = 5;  // answers
const WORDS = new Set(['state', 'region / zone', 'leader', 'voters + learners']);  // columns that are no numbers
const histories = new Map();  // by limit: [{admitted, refused}, ...] a second
const answers = [];  // the last ones, oldest first

// ---- numbers ----

function number(value) {
  if (value >= 1e9) return (value / 1e9).toPrecision(3) + ' G';
  if (value >= 1e6) return (value / 1e6).toPrecision(3) + ' M';
  if (value >= 1e4) return (value / 1e3).toPrecision(3) + ' k';
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(2);
}

function bytes(value) {
  return value >= 1 << 30 ? (value / (1 << 30)).toFixed(1) + ' GiB' : (value / (1 << 20)).toFixed(0) + ' MiB';
}

function throughput(bits_per_s) {
  const per_s = bits_per_s / 8;
  return number(per_s) + (per_s >= 1e4 ? 'B/s' : ' B/s');
}

function span(seconds) {
  if (seconds < 120) return seconds.toFixed(0) + ' s';
  if (seconds < 7200) return (seconds / 60).toFixed(0) + ' min';
  return seconds < 172800 ? (seconds / 3600).toFixed(0) + ' h' : (seconds / 86400).toFixed(0) + ' d';
}

// ---- elements: whatever the cluster says is text, never markup ----

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function row(cell, values) {
  return element('tr', '', ...values.map((value) => element(cell, '', value)));
}

function table(id, titles, rows) {
  const head = titles.map((title) => element('th', WORDS.has(title) ? 'word' : '', title));
  document.getElementById(id).replaceChildren(element('tr', '', ...head), ...rows);
}

function curve(className, points, most) {
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  line.setAttribute('class', className);
  line.setAttribute('points', points.map((y, x) => `${x + KEPT - points.length},${100 - 100 * y / most}`).join(' '));
  return line;
}

// ---- rates ----

// How much a total grew in a second; a node that started again counts from zero.
function grown(now, then, seconds) {
  return then === undefined || now < then || !(seconds > 0) ? 0 : (now - then) / seconds;
}

function rates(status, limit) {
  const before = answers[0] || status;
  const seconds = (status.as_of_ms - before.as_of_ms) / 1000;
  const then = before.limits.find((other) => other.name === limit.name);
  const earlier = new Map((then ? then.buckets : []).map((bucket) => [bucket.node, bucket]));
  return limit.buckets.map((bucket) => {
    const then = earlier.get(bucket.node) || {};
    const rate = (field) => grown(bucket[field], then[field], seconds);
    return {
      ...bucket,
      admitted: rate('admitted_total'),
      refused: rate('refused_total'),
      lent: rate('lent_total'),
      borrowed: rate('borrowed_total'),
    };
  });
}

function remember(limit, buckets) {
  const history = histories.get(limit.name) || [];
  const sum = (field) => buckets.reduce((total, bucket) => total + bucket[field], 0);
  history.push({admitted: sum('admitted'), refused: sum('refused')});
  if (history.length > KEPT) history.shift();
  histories.set(limit.name, history);
  return history;
}

// ---- limits ----

function bar(bucket, burst) {
  const share = element('div', 'share');
  const level = element('div', 'level');
  share.style.width = `${Math.min(100, 100 * bucket.size / burst)}%`;
  level.style.width = bucket.size > 0 ? `${Math.max(0, Math.min(100, 100 * bucket.level / bucket.size))}%` : '0';
  share.append(level);
  return share;
}

// Only shared limits have buckets at nodes, and lend.
function bucketTable(buckets, burst, shared) {
  const rows = buckets.map((bucket) => {
    const made = row('td', [bucket.node, ...[bucket.offered_per_s, bucket.admitted, bucket.refused].map(number)]);
    if (shared) {
      made.firstChild.after(element('td', 'bucket', bar(bucket, burst)),
                            element('td', '', `${number(bucket.level)} of ${number(bucket.size)}`));
      made.append(element('td', '', number(bucket.lent)), element('td', '', number(bucket.borrowed)));
    }
    return made;
  });
  const titles = row('th', ['node', 'offered/s', 'admitted/s', 'refused/s']);
  if (shared) {
    titles.firstChild.after(element('th', 'word', 'share of the burst'), element('th', '', 'tokens'));
    titles.append(element('th', '', 'lent/s'), element('th', '', 'borrowed/s'));
  }
  return element('table', '', titles, ...rows);
}

function chart(limit, history) {
  const drawing = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  drawing.setAttribute('viewBox', `0 -4 ${KEPT - 1} 108`);
  drawing.setAttribute('preserveAspectRatio', 'none');
  const most = Math.max(1e-9, ...history.map((point) => Math.max(point.admitted, point.refused)));
  drawing.append(curve('refused', history.map((point) => point.refused), most),
                 curve('admitted', history.map((point) => point.admitted), most));
  return drawing;
}

function kindOf(limit) {
  return limit.per ? 'per ' + limit.per : limit.mode;
}

function card(status, limit) {
  const {rate_per_s: rate, burst} = limit.effective;
  const buckets = rates(status, limit);
  const history = remember(limit, buckets);
  const {admitted, refused} = history[history.length - 1];
  const shared = limit.divided;
  const lent = shared ? ` · pool ${number(limit.pool.level)} of ${number(limit.pool.size)}` : '';
  return element(
      'div', 'limit',
      element('header', '',
              element('h3', '', limit.name + ' ',
                      element('span', 'faint', `${kindOf(limit)} · ${number(rate)}/s, burst ${number(burst)}${lent}`)),
              element('span', 'number', `${number(admitted)} admitted/s · `,
                      element('span', refused > 0 ? 'alarm' : '', `${number(refused)} refused/s`))),
      bucketTable(buckets, burst, shared), chart(limit, history));
}

// ---- members and shards ----

function memberRow(member) {
  const load = member.load || {};
  const name = element('td', '');
  const http = (member.addresses || {}).http || 'off';
  if (http === 'off') {
    name.append(member.name);
  } else {
    const link = element('a', '', member.name);
    link.href = `http://${http}/`;
    name.append(link);
  }
  const state = member.draining ? member.state + ', draining' : member.state;
  const usual = member.state === 'alive' && !member.draining;
  const figures = member.state !== 'alive' || load.cpu === undefined ? ['', '', '', '', '', ''] : [
    (100 * load.cpu).toFixed(0) + ' %', bytes(load.memory_bytes), throughput(load.net_in_bps),
    throughput(load.net_out_bps), load.request_ms_p99.toFixed(2) + ' ms', number(load.offered_per_s)];
  return element('tr', '', name, element('td', usual ? 'word' : 'word alarm', state),
                 element('td', 'word', [member.region, member.zone].filter(Boolean).join(' / ')),
                 ...figures.map((text) => element('td', '', text)));
}

function shardRow(shard) {
  const leader = shard.leader || 'nobody';
  const replicas = shard.voters.join(', ') + (shard.learners.length ? ' + ' + shard.learners.join(', ') : '');
  return element('tr', '', element('td', '', String(shard.id)),
                 element('td', shard.leader ? 'word' : 'word alarm', leader), element('td', '', String(shard.term)),
                 element('td', '', shard.leader ? span(shard.leader_since_s) : ''), element('td', 'word', replicas));
}

// ---- all of it ----

function draw(status) {
  document.title = `Brigade ${status.cluster.name}`;
  document.getElementById('cluster').textContent = `${status.cluster.name}, seen from ${status.node.name}`;
  const limits = status.limits.map((limit) => card(status, limit));
  const none = element('p', 'faint', 'No limit is declared. brigade limit apply FILE declares some.');
  document.getElementById('limits').replaceChildren(...(limits.length ? limits : [none]));
  table('members', ['member', 'state', 'region / zone', 'CPU', 'memory', 'in', 'out', 'p99', 'offered/s'],
        status.cluster.members.map(memberRow));
  table('shards', ['shard', 'leader', 'term', 'for', 'voters + learners'], status.shards.map(shardRow));
}

function say(text, stale) {
  const line = document.getElementById('freshness');
  line.textContent = text;
  line.className = stale ? 'stale' : 'faint';
}

async function look() {
  try {
    const reply = await fetch('v1/status', {signal: AbortSignal.timeout(5 * EVERY_MS)});
    if (!reply.ok) throw new Error(`it answers ${reply.status}`);
    const status = await reply.json();
    draw(status);
    answers.push(status);
    if (answers.length > RATED_OVER) answers.shift();
    say(`live, brigade ${status.node.version}, up ${span(status.node.uptime_s)}`, false);
  } catch (error) {
    const last = answers[answers.length - 1];
    const since = last ? ` Below: ${new Date(last.as_of_ms).toLocaleTimeString()}.` : '';
    say(`This node does not answer (${error.message}).${since}`, true);
  }
  setTimeout(look, EVERY_MS);
}

look();
