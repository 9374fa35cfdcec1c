/** What metrics are called on charts, and how each is best drawn. What is not here is told by its name. */

export interface Look {
  readonly title: string;
  /** Drawn on top of each other: the lines are parts of a whole. */
  readonly stack?: boolean;
  /** Plain numbers although the unit says `1`: not shares. */
  readonly plain?: boolean;
  /** Values of the attribute that are left out of a stack: what remains is what is used. */
  readonly leaveOut?: readonly string[];
  /** In the folded part of its section. */
  readonly minor?: boolean;
  /** All instances (sensors, cores) are lines of one chart, named by this attribute. */
  readonly together?: string;
  /** The axis need not begin at zero. */
  readonly floating?: boolean;
}

interface Metric {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const minor = (title: string, rest: Omit<Look, 'title'> = {}): Look => ({ title, minor: true, ...rest });

/** By metric name, in the order in which the charts of a section stand. */
export const looks: Readonly<Record<string, Look>> = {
  'system.cpu.utilization': { title: 'CPU by mode', stack: true, leaveOut: ['idle'] },
  'system.cpu.load_average': { title: 'Load average' },
  'system.linux.tasks': { title: 'Tasks' },
  'system.cpu.frequency': minor('CPU frequency', { together: 'cpu.logical_number' }),
  'system.linux.context_switches': minor('Context switches'),
  'system.linux.interrupts': minor('Interrupts'),
  'system.cpu.logical.count': minor('CPUs'),
  'system.linux.cpu.throttled': minor('Held back for its temperature'),
  'system.linux.cpu.throttle_events': minor('Times it was held back'),

  'system.memory.utilization': { title: 'Memory used' },
  'system.memory.usage': { title: 'Memory', stack: true, leaveOut: ['free'] },
  'system.linux.memory.available': { title: 'Available memory' },
  'system.paging.usage': { title: 'Swap', stack: true, leaveOut: ['free'] },
  'system.paging.utilization': minor('Swap used'),
  'system.paging.operations': { title: 'Pages swapped' },
  'system.paging.faults': minor('Page faults'),
  'system.linux.paging.io': minor('Paged in and out'),
  'system.memory.limit': minor('Memory in all'),
  'system.memory.shared': minor('Shared memory'),
  'system.linux.memory.slab.usage': minor('Kernel slabs', { stack: true }),
  'system.linux.memory.dirty': minor('Waiting for the disk'),
  'system.linux.memory.writeback': minor('On its way to the disk'),
  'system.linux.memory.committed': minor('Committed memory'),
  'system.linux.memory.reclaim.scanned': minor('Pages scanned for reclaim'),
  'system.linux.memory.oom_kills': minor('Killed for want of memory'),

  'system.disk.io': { title: 'Throughput' },
  'system.disk.io_time': { title: 'Busy' },
  'system.disk.operation_latency': { title: 'Latency' },
  'system.disk.operations': { title: 'Operations' },
  'system.disk.queue': minor('Queue', { plain: true }),
  'system.disk.pending_operations': minor('Pending operations'),
  'system.disk.operation_time': minor('Time in operations', { plain: true }),
  'system.disk.merged': minor('Merged operations'),

  'system.filesystem.utilization': { title: 'Space used' },
  'system.filesystem.usage': { title: 'Space', stack: true, leaveOut: ['free'] },
  'system.filesystem.inodes.usage': minor('Inodes', { stack: true, leaveOut: ['free'] }),
  'system.filesystem.inodes.utilization': minor('Inodes used'),
  'system.filesystem.limit': minor('Size'),
  'system.filesystem.errors': minor('Errors recorded'),

  'picket.forecast.time_to_full': minor('Time to full'),
  'picket.forecast.time_to_empty': minor('Time to empty'),
  'tlscheck.time_left': { title: 'Certificate good for' },
  'hw.physical_disk.endurance_utilization': { title: 'Life left of flash' },

  'system.network.io': { title: 'Traffic' },
  'system.network.packets': { title: 'Packets' },
  'system.network.errors': minor('Errors'),
  'system.network.dropped': minor('Dropped packets'),
  'system.network.connection.count': { title: 'TCP connections', stack: true },
  'system.linux.tcp.segments': { title: 'TCP segments' },
  'system.linux.tcp.retransmits': { title: 'TCP retransmissions' },
  'system.linux.tcp.opens': minor('TCP connections opened'),
  'system.linux.tcp.failed_opens': minor('TCP connections that failed'),
  'system.linux.tcp.resets': minor('TCP resets'),
  'system.linux.tcp.aborts': minor('TCP aborts'),
  'system.linux.tcp.errors': minor('TCP errors'),
  'system.linux.tcp.timeouts': minor('TCP timeouts'),
  'system.linux.tcp.syn_retransmits': minor('TCP SYN retransmissions'),
  'system.linux.tcp.listen.drops': minor('TCP listen drops'),
  'system.linux.tcp.listen.overflows': minor('TCP listen overflows'),
  'system.linux.tcp.orphans': minor('TCP orphans'),
  'system.linux.udp.datagrams': { title: 'UDP datagrams' },
  'system.linux.udp.errors': minor('UDP errors'),
  'system.linux.udp.sockets': minor('UDP sockets'),
  'system.linux.sockets': minor('Sockets in use'),
  'system.linux.conntrack.count': minor('Tracked connections'),
  'system.linux.conntrack.limit': minor('Tracked connections at most'),
  'hw.network.up': minor('Link up', { plain: true }),
  'hw.network.bandwidth.limit': minor('Link speed'),

  'system.process.count': { title: 'Processes', stack: true },
  'system.process.created': { title: 'Process starts' },
  'system.linux.thread.count': { title: 'Threads' },
  'system.linux.file_handles.count': { title: 'Open file handles' },
  'system.linux.file_handles.utilization': minor('File handles used'),
  'system.linux.file_handles.limit': minor('File handles at most'),
  'process.watched.count': { title: 'Watched processes', together: 'process.watched.name' },
  'process.watched.uptime': minor('Watched processes: running for', { together: 'process.watched.name' }),
  'process.cpu.utilization': { title: 'CPU of processes', together: 'process.watched.name' },
  'process.memory.usage': { title: 'Memory of processes', together: 'process.watched.name' },
  'process.thread.count': minor('Threads of processes', { together: 'process.watched.name' }),
  'process.watched.restarts': minor('Watched processes: begun anew', { together: 'process.watched.name' }),

  'hw.temperature': { title: 'Temperatures', together: 'hw.name', floating: true },
  'hw.temperature.limit': minor('Critical temperatures', { together: 'hw.name', floating: true }),
  'hw.fan.speed': { title: 'Fans', together: 'hw.name' },
  'hw.power': { title: 'Power', together: 'hw.name' },
  'hw.voltage': { title: 'Voltages', together: 'hw.name', floating: true },
  'hw.battery.charge': { title: 'Battery charge', together: 'hw.name' },

  'system.uptime': { title: 'Uptime', floating: true },
  'system.clock.synchronized': { title: 'Clock synchronised', plain: true },
  'systemd.units.failed': { title: 'Failed units' },

  'system.linux.pressure.stall': { title: 'Time stalled' },

  'picket.outbox.pending': { title: 'Records not sent yet' },
  'picket.outbox.size': { title: 'Outbox on disk' },
  'picket.outbox.lost': minor('Records lost'),
  'picket.finding.bar': minor('Bar of findings'),
  'picket.input.duration': { title: 'Time that inputs take', together: 'input' },
  'picket.input.failures': { title: 'Inputs that failed', together: 'input' },
  'picket.tick.skipped': minor('Skipped ticks'),
  'picket.values.bad': { title: 'Bad values', together: 'cause' },
};

/** Of figures of a process without a word of which one: the agent's own. */
const ownLooks: Readonly<Record<string, Look>> = {
  'process.cpu.utilization': { title: 'CPU of the agent' },
  'process.memory.usage': { title: 'Memory of the agent' },
};

/** Whether it is a figure of a process that says which one. */
export function isOfProcess({ name, attributes }: Metric): boolean {
  return name.startsWith('process.') && Object.keys(attributes).length > 0;
}

/** How a series is drawn; undefined where nothing is known of its metric. */
export function lookOf(series: Metric): Look | undefined {
  return (isOfProcess(series) ? undefined : ownLooks[series.name]) ?? looks[series.name];
}

/** Attributes whose values are lines of one chart; all others tell instances apart, a chart each. */
export const lineAttributes: ReadonlySet<string> = new Set([
  'cpu.mode',
  'disk.io.direction',
  'network.io.direction',
  'system.memory.state',
  'system.paging.state',
  'system.paging.direction',
  'system.paging.fault.type',
  'system.filesystem.state',
  'linux.memory.slab.state',
  'network.connection.state',
  'process.status',
  'state',
  'status',
  'mode',
  'direction',
  'tasks',
  'cause',
  'side',
  'what',
  'reclaim',
  'picket.forecast.edge',
  'flash.memory_type',
  'hw.physical_disk.state',
]);

/** Attributes that say nothing to people beside the others. */
export const quietAttributes: ReadonlySet<string> = new Set([
  'hw.id',
  'system.filesystem.type',
  'network.transport',
  'host.name',
  'picket.forecast.metric',
]);

/** Values of attributes as people say them. */
export const valueWords: Readonly<Record<string, string>> = {
  iowait: 'waiting for I/O',
  interrupt: 'interrupts',
  steal: 'stolen',
  receive: 'received',
  transmit: 'sent',
  time_wait: 'time wait',
  receive_buffer: 'receive buffer',
  send_buffer: 'send buffer',
  no_port: 'no port',
  type_a: 'type A',
  type_b: 'type B',
};

/** Lines stand in this order, others after them by name; a stack has the first at its bottom. */
export const valueOrder: readonly string[] = [
  'user',
  'system',
  'iowait',
  'nice',
  'interrupt',
  'steal',
  'idle',
  'used',
  'cached',
  'buffers',
  'free',
  'read',
  'write',
  'receive',
  'transmit',
  'in',
  'out',
  'some',
  'full',
  'running',
  'blocked',
  'sleeping',
  'established',
  'listen',
  'expected',
  'earliest',
  'latest',
];

/** What a metric is called on its own: `CPU`, `Load average 1 min`, `Memory used`. */
export function metricTitle(metric: Metric): string {
  const { name } = metric;
  if (name === 'system.cpu.utilization') return 'CPU';
  const load = /^(system\.cpu\.load_average)\.(\d+)m$/.exec(name);
  if (load !== null) return `${looks[load[1]!]!.title}, ${load[2]} min`;
  const section = /^system\.(disk|network|filesystem)\./.exec(name)?.[1];
  const title = lookOf(metric)?.title ?? titleFromName(name);
  return section === undefined ? title : `${section[0]!.toUpperCase()}${section.slice(1)} ${title.toLowerCase()}`;
}

/** `some.metric_name` as a title: `Some metric name`. */
export function titleFromName(name: string): string {
  const words = name
    .replace(/^(system|hw|picket|process)\./, '')
    .replace(/[._]+/g, ' ')
    .trim();
  return words === '' ? name : words[0]!.toUpperCase() + words.slice(1);
}
