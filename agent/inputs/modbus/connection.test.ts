/** Devices that answer rubbish: each gives one clear error and the end of the connection, none a crash. */
import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ModbusConnection, ModbusException } from './connection.ts';

let server: net.Server;
let answer: (request: Buffer, socket: net.Socket) => void;
const sockets = new Set<net.Socket>();

beforeEach(async () => {
  server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (request) => answer(request, socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => server.close(resolve));
});

const open = (deadlineMs = 2000): Promise<ModbusConnection> => {
  const { port } = server.address() as AddressInfo;
  return ModbusConnection.open({ name: 'boiler', host: '127.0.0.1', port, unitId: 7 }, deadlineMs);
};
const block = { table: 'holding', address: 100, count: 2, entries: [] } as const;

/** Header as the request had it, then these bytes. */
function reply(request: Buffer, body: readonly number[], { transaction = request.readUInt16BE(0) } = {}): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt16BE(transaction, 0);
  header.writeUInt16BE(body.length, 4);
  return Buffer.concat([header, Buffer.from(body)]);
}

test('a request is what Modbus says, and its answer the registers alone', async () => {
  const requests: string[] = [];
  answer = (request, socket) => {
    requests.push(request.toString('hex'));
    socket.write(reply(request, [7, 3, 4, 1, 2, 3, 4]));
  };
  const connection = await open();
  expect([...(await connection.request(block))]).toEqual([1, 2, 3, 4]);
  expect([...(await connection.request(block))]).toEqual([1, 2, 3, 4]);
  // Transaction, protocol 0, 6 bytes; unit 7, function 3, address 100, 2 registers.
  expect(requests).toEqual(['000100000006070300640002', '000200000006070300640002']);
  connection.close();
});

test('an answer in pieces is put together', async () => {
  answer = (request, socket) => {
    const whole = reply(request, [7, 3, 4, 1, 2, 3, 4]);
    socket.setNoDelay(true);
    socket.write(whole.subarray(0, 5));
    setImmediate(() => setImmediate(() => socket.write(whole.subarray(5))));
  };
  const connection = await open();
  expect([...(await connection.request(block))]).toEqual([1, 2, 3, 4]);
  connection.close();
});

test('an exception is told by its code, and the connection goes on', async () => {
  answer = (request, socket) => socket.write(reply(request, [7, 0x83, 2]));
  const connection = await open();
  await expect(connection.request(block)).rejects.toThrow(ModbusException);
  await expect(connection.request(block)).rejects.toThrow('exception 2 (illegal data address)');
  connection.close();
});

describe('rubbish ends the connection with one clear error:', () => {
  const cases: readonly [string, (request: Buffer) => Buffer, RegExp][] = [
    [
      'too few registers',
      (r) => reply(r, [7, 3, 2, 1, 2]),
      /answered 2 bytes, said to be 2, where 4 were due, asked for holding registers 100 to 101/,
    ],
    [
      'a count that lies',
      (r) => reply(r, [7, 3, 250, 1, 2, 3, 4]),
      /answered 4 bytes, said to be 250, where 4 were due/,
    ],
    [
      'too many registers',
      (r) => reply(r, [7, 3, 6, 1, 2, 3, 4, 5, 6]),
      /answered 6 bytes, said to be 6, where 4 were due/,
    ],
    ['another unit', (r) => reply(r, [8, 3, 4, 1, 2, 3, 4]), /answered as unit 8/],
    ['another function', (r) => reply(r, [7, 4, 4, 1, 2, 3, 4]), /answered function 4 to 3/],
    ['another transaction', (r) => reply(r, [7, 3, 4, 1, 2, 3, 4], { transaction: 77 }), /answered another request/],
    ['next to nothing', (r) => reply(r, [7]), /gave an answer of 1 bytes/],
    ['a flood', () => Buffer.alloc(300_000, 0xff), /sends what was not asked for/],
    ['text', () => Buffer.from(`HTTP/1.1 400 Bad Request\r\n${'x'.repeat(300)}`), /sends what was not asked for/],
  ];
  test.each(cases)('%s', async (_name, make, expected) => {
    answer = (request, socket) => socket.write(make(request));
    const connection = await open();
    await expect(connection.request(block)).rejects.toThrow(expected);
    // What came after cannot be believed either.
    await expect(connection.request(block)).rejects.toThrow(expected);
  });
});

test('a device that talks unasked is let go', async () => {
  answer = () => undefined;
  const connection = await open();
  const [socket] = sockets;
  const closed = new Promise((resolve) => socket!.once('close', resolve));
  socket!.write('hello');
  await closed;
  await expect(connection.request(block)).rejects.toThrow('sends what was not asked for');
});

test('a request that waits is rejected when the connection is closed by either side', async () => {
  answer = (_request, socket) => socket.destroy();
  const first = await open();
  await expect(first.request(block)).rejects.toThrow(/The Modbus device boiler at .* closed the connection/);
  answer = () => first.close();
  const second = await open();
  const waiting = second.request(block);
  second.close('did not answer within 5 ms');
  await expect(waiting).rejects.toThrow('did not answer within 5 ms');
});

test('where nobody listens, the error says so', async () => {
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const device = { name: 'boiler', host: '127.0.0.1', port, unitId: 1 };
  await expect(ModbusConnection.open(device, 2000)).rejects.toThrow(/could not be connected to \(ECONNREFUSED\)/);
  server.listen(0, '127.0.0.1');
});
