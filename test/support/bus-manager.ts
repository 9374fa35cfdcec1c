/**
 * A message bus (the real dbus-daemon) with a stand-in for systemd's manager on it, which answers `ListUnitsFiltered`
 * with the failed units that a test names. It writes its messages by hand, byte for byte: the bus drops whoever gets one
 * wrong, so what the agent reads here is what it would read there.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { until } from './processes.ts';
import type { System } from './system.ts';

const NAME = 'org.freedesktop.systemd1';

export interface BusManager {
  /** Where the bus listens: `ROOT/run/dbus/system_bus_socket`. */
  readonly root: string;
  failed: readonly string[];
  calls: number;
  close(): void;
}

/** Starts both below a root of the test's own, which looks like that of a machine with systemd. */
export async function startBusManager(system: System): Promise<BusManager> {
  const root = system.path('machine');
  system.path('machine', 'run', 'systemd', 'system');
  const socketPath = join(system.path('machine', 'run', 'dbus'), 'system_bus_socket');
  const config = system.write(
    'bus.conf',
    `<busconfig><type>system</type><listen>unix:path=${socketPath}</listen><auth>EXTERNAL</auth>
     <policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
     <allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`,
  );
  system.start('dbus-daemon', ['dbus-daemon', `--config-file=${config}`, '--nofork', '--nopidfile']);
  const socket = await until('the bus listens', async () => {
    const trying = connect(socketPath);
    return await once(trying, 'connect').then(
      () => trying,
      () => null,
    );
  });
  const manager: BusManager = { root, failed: [], calls: 0, close: () => socket.destroy() };
  serve(socket, manager);
  await until('the manager has its name', async () => named.has(socket));
  return manager;
}

const named = new WeakSet<Socket>();

function serve(socket: Socket, manager: BusManager): void {
  let held: Buffer = Buffer.alloc(0);
  let greeted = false;
  socket.on('error', () => {});
  socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.getuid!())).toString('hex')}\r\n`);
  socket.on('data', (bytes: Buffer) => {
    held = Buffer.concat([held, bytes]);
    if (!greeted) {
      const end = held.indexOf('\r\n');
      if (end < 0) return;
      held = held.subarray(end + 2);
      greeted = true;
      socket.write('BEGIN\r\n');
      socket.write(call(1, 'Hello', Buffer.alloc(0), ''));
      // RequestName(name, flags 0)
      socket.write(call(2, 'RequestName', padded([text(NAME), u32(0)]), 'su'));
    }
    for (let length = lengthOf(held); length > 0 && held.length >= length; length = lengthOf(held)) {
      const message = held.subarray(0, length);
      held = held.subarray(length);
      if (message[1] === 2 && message.subarray(16).includes(Buffer.from([5, 1, 0x75, 0, 2, 0, 0, 0])))
        named.add(socket);
      if (message[1] === 1 && message.includes('ListUnitsFiltered')) {
        manager.calls++;
        socket.write(reply(message, manager.failed));
      }
    }
  });
}

function lengthOf(bytes: Buffer): number {
  if (bytes.length < 16) return 0;
  return Math.ceil((16 + bytes.readUInt32LE(12)) / 8) * 8 + bytes.readUInt32LE(4);
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(`${value}\0`)]);

/** One behind another, each on a multiple of 4. */
function padded(parts: readonly Buffer[], from = 0): Buffer {
  const out: Buffer[] = [];
  let at = from;
  for (const part of parts) {
    const gap = (4 - (at % 4)) % 4;
    out.push(Buffer.alloc(gap), part);
    at += gap + part.length;
  }
  return Buffer.concat(out);
}

/** Header fields: code, signature, value; each on a multiple of 8. */
function message(
  type: number,
  serial: number,
  fields: readonly (readonly [number, string, Buffer])[],
  body: Buffer,
): Buffer {
  const encoded: Buffer[] = [];
  let at = 0;
  for (const [code, signature, value] of fields) {
    const gap = (8 - (at % 8)) % 8;
    const head = Buffer.from([code, signature.length, ...Buffer.from(signature), 0]);
    encoded.push(Buffer.alloc(gap), head, value);
    at += gap + head.length + value.length;
  }
  const all = Buffer.concat(encoded);
  const head = Buffer.concat([Buffer.from([0x6c, type, 0, 1]), u32(body.length), u32(serial), u32(all.length), all]);
  return Buffer.concat([head, Buffer.alloc((8 - (head.length % 8)) % 8), body]);
}

function call(serial: number, member: string, body: Buffer, signature: string): Buffer {
  const fields: [number, string, Buffer][] = [
    [1, 'o', text('/org/freedesktop/DBus')],
    [2, 's', text('org.freedesktop.DBus')],
    [3, 's', text(member)],
    [6, 's', text('org.freedesktop.DBus')],
  ];
  if (signature !== '') fields.push([8, 'g', Buffer.from([signature.length, ...Buffer.from(signature), 0])]);
  return message(1, serial, fields, body);
}

/** `a(ssssssouso)`: structs on multiples of 8, behind the array's length and its padding. */
function reply(asked: Buffer, units: readonly string[]): Buffer {
  const structs: Buffer[] = [];
  let at = 0;
  for (const name of units) {
    const gap = (8 - (at % 8)) % 8;
    const parts = [name, `Unit ${name}`, 'loaded', 'failed', 'failed', '', '/org/freedesktop/systemd1/unit/x'].map(
      text,
    );
    const struct = padded([...parts, u32(0), text(''), text('/')]);
    structs.push(Buffer.alloc(gap), struct);
    at += gap + struct.length;
  }
  const all = Buffer.concat(structs);
  const sender = /:\d+\.\d+/.exec(asked.toString('latin1'))![0];
  const signature = 'a(ssssssouso)';
  return message(
    2,
    100,
    [
      [5, 'u', u32(asked.readUInt32LE(8))],
      [6, 's', text(sender)],
      [8, 'g', Buffer.from([signature.length, ...Buffer.from(signature), 0])],
    ],
    Buffer.concat([u32(all.length), u32(0), all]),
  );
}
