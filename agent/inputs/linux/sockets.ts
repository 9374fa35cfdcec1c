/**
 * /proc/net/snmp, netstat, sockstat: how TCP and UDP fare in this network namespace, and the connection tracker.
 *
 * OpenTelemetry has `system.network.connection.count` by `network.transport` and `network.connection.state`; what is
 * under `system.linux.tcp` and `.udp` is ours and keeps the kernel's meaning (RFC 4022 and 4113 for net/snmp,
 * Documentation/networking/snmp_counter.rst for net/netstat). Counters are `unsigned long`: 32 bits on 32-bit kernels.
 */
import type { ValueOf } from '../../../shared/config/schema.ts';
import { object } from '../../../shared/config/types.ts';
import type { SeriesDefinition } from '../../../shared/series.ts';
import type { Host, InputKind } from '../input.ts';
import { headedLines, type Layout, labelledPairs } from './fields.ts';
import { MappedFile, type Mapping } from './mapped-file.ts';
import { MappedInput } from './mapped-input.ts';
import { interval, onLinux, timingOf } from './settings.ts';

const config = object({ doc: 'TCP, UDP and connection tracking.', keys: { interval: interval('1s') } });
type Config = ValueOf<typeof config>;
type Attributes = Readonly<Record<string, string>>;

const counter = (name: string, unit: string, attributes: Attributes = {}): SeriesDefinition => ({
  name,
  unit: `${unit}/s`,
  attributes,
  kind: 'counter',
  wrapBits: 32,
  min: 0,
  steady: true,
});
const gauge = (name: string, unit: string, attributes: Attributes = {}): SeriesDefinition => ({
  name,
  unit,
  attributes,
  kind: 'gauge',
  min: 0,
  // Idle machines keep the same few sockets for days.
  steady: true,
});
const direction = (value: 'receive' | 'transmit'): Attributes => ({ 'network.io.direction': value });
const connections = (transport: string, state: string): SeriesDefinition =>
  gauge('system.network.connection.count', '{connection}', {
    'network.transport': transport,
    'network.connection.state': state,
  });

const snmp: readonly Mapping[] = [
  ['Tcp.CurrEstab', connections('tcp', 'established')],
  ['Tcp.ActiveOpens', counter('system.linux.tcp.opens', '{connection}', { side: 'active' })],
  ['Tcp.PassiveOpens', counter('system.linux.tcp.opens', '{connection}', { side: 'passive' })],
  ['Tcp.AttemptFails', counter('system.linux.tcp.failed_opens', '{connection}')],
  ['Tcp.EstabResets', counter('system.linux.tcp.resets', '{connection}', { what: 'established' })],
  ['Tcp.OutRsts', counter('system.linux.tcp.resets', '{connection}', { what: 'sent' })],
  ['Tcp.InSegs', counter('system.linux.tcp.segments', '{segment}', direction('receive'))],
  ['Tcp.OutSegs', counter('system.linux.tcp.segments', '{segment}', direction('transmit'))],
  ['Tcp.RetransSegs', counter('system.linux.tcp.retransmits', '{segment}')],
  ['Tcp.InErrs', counter('system.linux.tcp.errors', '{segment}')],
  ['Udp.InDatagrams', counter('system.linux.udp.datagrams', '{datagram}', direction('receive'))],
  ['Udp.OutDatagrams', counter('system.linux.udp.datagrams', '{datagram}', direction('transmit'))],
  ['Udp.NoPorts', counter('system.linux.udp.errors', '{datagram}', { cause: 'no_port' })],
  ['Udp.InErrors', counter('system.linux.udp.errors', '{datagram}', { cause: 'receive' })],
  ['Udp.RcvbufErrors', counter('system.linux.udp.errors', '{datagram}', { cause: 'receive_buffer' })],
  ['Udp.SndbufErrors', counter('system.linux.udp.errors', '{datagram}', { cause: 'send_buffer' })],
];

const netstat: readonly Mapping[] = [
  ['TcpExt.ListenOverflows', counter('system.linux.tcp.listen.overflows', '{connection}')],
  ['TcpExt.ListenDrops', counter('system.linux.tcp.listen.drops', '{connection}')],
  ['TcpExt.TCPTimeouts', counter('system.linux.tcp.timeouts', '{timeout}')],
  ['TcpExt.TCPSynRetrans', counter('system.linux.tcp.syn_retransmits', '{segment}')],
  ['TcpExt.TCPAbortOnMemory', counter('system.linux.tcp.aborts', '{connection}', { cause: 'memory' })],
  ['TcpExt.TCPAbortOnTimeout', counter('system.linux.tcp.aborts', '{connection}', { cause: 'timeout' })],
];

const sockstat: readonly Mapping[] = [
  ['sockets.used', gauge('system.linux.sockets', '{socket}')],
  ['TCP.tw', connections('tcp', 'time_wait')],
  ['TCP.orphan', gauge('system.linux.tcp.orphans', '{socket}')],
  ['UDP.inuse', gauge('system.linux.udp.sockets', '{socket}')],
];

/** A file that is one number. */
const oneNumber: Layout = () => new Map([['', { line: 0, field: 0 }]]);

export const sockets: InputKind<Config> = {
  doc: 'TCP connections, retransmits, resets and overflows; UDP errors; connection tracking.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (_settings: Config, host: Host) => {
    const file = (name: string, layout: Layout, mappings: readonly Mapping[]): MappedFile =>
      new MappedFile(`${host.procRoot}/${name}`, layout, mappings);
    const tracker = (name: string, metric: string): MappedFile =>
      file(`sys/net/netfilter/${name}`, oneNumber, [['', gauge(metric, '{connection}')]]);
    return new MappedInput(
      [file('net/snmp', headedLines, snmp)],
      [
        file('net/netstat', headedLines, netstat),
        file('net/sockstat', labelledPairs, sockstat),
        tracker('nf_conntrack_count', 'system.linux.conntrack.count'),
        tracker('nf_conntrack_max', 'system.linux.conntrack.limit'),
      ],
    );
  },
};
