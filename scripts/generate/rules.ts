/** Generates docs/rules.md: what rules are, how one is written, and the shipped ones from their own definitions. */
import { formatValue } from '../../shared/detect/wording.ts';
import type { Limit, Rule } from '../../shared/rules/rule.ts';
import { shippedRules } from '../../shared/rules/shipped.ts';

const before = `# Rules

A rule is a fact that is wrong at any time, whatever was learned: a disk without space, a process that the kernel killed, a unit that failed. Rules are judged on the machine, where each value is taken, with or without a central, and stand outside of the budgets of false alarms. A rule that fires opens an incident at once, which says what is wrong, the value, the limit, since when, and what to do; it is over when the rule says so. What fires survives a restart of the agent.

Every rule has hysteresis: it fires when its limit was crossed for as long as \`for\` says, and ends when the value is back at \`clear\` for as long as \`clearFor\` says. What hovers between the two is told once.

## The shipped ones

They need no configuration, and are silent on a healthy machine: limits follow the size of a disk and a sensor's own critical temperature, filesystems that are full or read-only by nature are left out.
`;

const after = `
## Changing one, and rules of your own

In \`/etc/picket/agent.yaml\`; \`picket-agent check\` names every mistake. All keys are in [agent-config.md](agent-config.md#rules).

\`\`\`yaml
rules:
  unit-failed: false                     # switched off
  disk-space-low:                        # changed: only what is said
    except: { system.filesystem.mountpoint: "/recordings" }
  boiler-hot:                            # your own: above, below, rises, falls, absent, is or timeToFull
    metric: boiler.temperature
    where: { device: "boiler*" }
    above: 90
    clear: 85
    for: 1m
    severity: critical
    text: "{it} is too hot"
    advice: Open the valve by hand.
  meter-silent: { metric: meter.power, absent: 5m }
  level-falls: { metric: tank.level, falls: 0.01, over: 10m }
  valve-stuck: { metric: valve.state, is: [stuck, fault] }
  disk-full-tomorrow: { timeToFull: 24h }
\`\`\`

A process that must run is watched, and \`process-gone\` finds its end within seconds:

\`\`\`yaml
inputs:
  process: { watch: [{ name: nginx }, { name: worker, command: "*python3*worker.py*" }, { name: db, pidfile: /run/db.pid }] }
\`\`\`

What it uses is watched as well, under OpenTelemetry's names and with the attribute \`process.watched.name\`, summed where several processes fit: \`process.cpu.utilization\` (the share of all processors: 100 % is every one of them), \`process.memory.usage\` (what lies in memory) and \`process.thread.count\`. A process that begins to leak or to run in circles is an incident that names it, without a rule: its use of processors is judged by its size, its memory by its size and by how long it has gone one way. No rule is shipped for a leak: how much memory a process may have, nobody knows but who runs it, and what it takes from the machine is told by the machine's own memory. Whoever knows a limit may say one: \`pump-memory: { metric: process.memory.usage, above: 500000000 }\`.

What a leak needs to be seen by itself is a history four times as long as the climb that shows it, on the scale on which it climbs: some twenty to forty readings, or means of sixteen readings and more, of which nearly each lies above the one before. On an agent that has just started, memory that grows in steps which lie further apart than two readings is not seen for that reason.

When all processes of a watch have ended and others run, memory and threads are learned anew and say nothing for some 120 readings (four minutes): a process that has just started lies at another level, which is no fault, and holds no incident open. \`process.watched.uptime\` grows with the clock; it is shown and held against rules, and judged by nothing else.

## Silence for a while

\`\`\`
picket-agent mute 2h --reason "a new boiler"          on the machine
picket-agent mute 30m --rule "disk-*"                 only what these rules find
picket-agent unmute
picket-central mute AGENT 2h --reason "a new boiler"  through the central; so does the button on a machine's page
\`\`\`

What is found is recorded and shown as before, and wakes nobody. A mute ends by itself, by a time that no clock that is set can move, and survives a restart. The central's order is signed; a machine that is offline is told when it is back, if the time is not over then. \`picket-agent status\`, the machine's page and the fleet's list say what is muted; the audit trail says who asked, wherever it was.
`;

/** The generated file. Equal for equal input. */
export async function generateRuleDocs(): Promise<ReadonlyMap<string, string>> {
  const rows = shippedRules.map((rule) =>
    [`\`${rule.id}\``, rule.severity, whenOf(rule), spanOf(rule.forMs), sentence(rule.text)].map(cell),
  );
  const head = ['rule', 'severity', 'fires when', 'for', 'says'];
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const made = '\nThe table is generated from the rules; do not edit it.\n';
  return new Map([['docs/rules.md', `${before}\n${table}\n${made}${after}`]]);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function sentence(text: string): string {
  const told = text.replaceAll('{it}', '…');
  return told.charAt(0).toUpperCase() + told.slice(1);
}

function whenOf({ selector, condition }: Rule): string {
  const attributes = Object.values(selector.where);
  const of = `\`${selector.metric}\`${attributes.length === 0 ? '' : ` (${attributes.join(', ')})`}`;
  switch (condition.kind) {
    case 'threshold':
      return `${of} is ${condition.side} ${limitOf(condition.limit)}; well at ${limitOf(condition.clear)}`;
    case 'rate':
      return `${of} changes by ${condition.side === 'above' ? 'more' : 'less'} than ${condition.limit} a second`;
    case 'absence':
      return `${of} has no value for ${spanOf(condition.afterMs)}`;
    case 'state':
      return `${of} is \`${condition.is.join('`, `')}\`${condition.was === null ? '' : ` and was \`${condition.was.join('`, `')}\``}`;
    case 'timeToFull':
      return `full within ${spanOf(condition.limit * 1000)}`;
  }
}

function limitOf(limit: Limit): string {
  if (typeof limit === 'number') return String(limit);
  const { metric, unit, share, plus, atMost, least } = limit;
  const scaled = share === 1 ? '' : `${formatValue(share, '1')} of `;
  const added = plus === 0 ? '' : ` ${plus < 0 ? '−' : '+'} ${Math.abs(plus)}`;
  const bounded = Number.isFinite(atMost) ? `, at most ${formatBytes(atMost, unit)}` : '';
  const from = Number.isFinite(least) ? ` (of ${formatBytes(least, unit)} and more)` : '';
  return `${scaled}\`${metric}\`${added}${bounded}${from}`;
}

/** As it is meant: 5 GB, and not 4.66 GiB. */
function formatBytes(value: number, unit: string): string {
  if (unit !== 'By') return formatValue(value, unit);
  return value >= 1e9 ? `${value / 1e9} GB` : `${value / 1e6} MB`;
}

function spanOf(ms: number): string {
  if (ms === 0) return 'at once';
  return ms < 60_000 ? `${ms / 1000} s` : `${ms / 60_000} min`;
}
