/**
 * A machine on a line that loses packets: a network namespace of its own, with steady traffic to a second one over a
 * pair of virtual interfaces, of which nft then drops a part. The line to the central is another one, and stays well.
 */
import { atOnce, type Fault, quick, sh } from './fault.ts';
import { namespaceName } from './sweep.ts';

const LOST_PERCENT = 40;
const PORT = 5099;

const server = `
const socket = require('dgram').createSocket('udp4');
socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
socket.bind(${PORT}, process.argv[1]);
`;
/** A hundred datagrams a second there and back; one that was held up makes up for it. */
const client = `
const socket = require('dgram').createSocket('udp4');
socket.once('message', () => console.log('answered'));
const begin = performance.now();
let sent = 0;
setInterval(() => {
  for (const due = (performance.now() - begin) / 10; sent < due; sent++) {
    socket.send(Buffer.alloc(500, 1), ${PORT}, process.argv[1]);
  }
}, 20);
`;

const tag = process.pid % 10_000;
const machine = namespaceName('near');
const peer = namespaceName('far');
const octet = process.pid % 250;

/** Where the central must listen, so that a machine in a namespace finds it; there once the fault is set up. */
export const meetingHost = `10.214.${octet}.1`;

export const packetLoss: Fault = {
  name: 'packet loss',
  async setUp(workshop) {
    for (const space of [machine, peer]) {
      sh('ip', 'netns', 'add', space);
      workshop.defer(() => void sh('ip', 'netns', 'del', space));
      sh('ip', '-n', space, 'link', 'set', 'lo', 'up');
    }
    const [control, line] = [`pkc${tag}`, `pkl${tag}`];
    pair(null, `${control}a`, meetingHost, machine, `${control}b`, `10.214.${octet}.2`);
    workshop.defer(() => void sh('ip', 'link', 'del', `${control}a`));
    pair(machine, `${line}a`, `10.215.${octet}.1`, peer, `${line}b`, `10.215.${octet}.2`);
    const nft = (rule: string): string => sh('ip', 'netns', 'exec', peer, 'nft', rule);
    nft('add table inet loss');
    for (const hook of ['input', 'output']) {
      nft(`add chain inet loss ${hook} { type filter hook ${hook} priority 0; policy accept; }`);
    }
    const inside = (space: string): string[] => ['ip', 'netns', 'exec', space];
    const node = [process.execPath, '-e'];
    const address = `10.215.${octet}.2`;
    workshop.system.start('traffic-server', [...atOnce, ...inside(peer), ...node, server, address]);
    await workshop.system
      .start('traffic-client', [...atOnce, ...inside(machine), ...node, client, address])
      .said(/answered/);
    return {
      through: inside(machine),
      inputs: { 'linux.network': { ...quick, exclude: ['lo', `${control}b`] } },
      needs: { 'linux.network': { exclude: ['lo', `${control}b`] } },
      // Nobody else is in the namespace, so that nothing else is found there.
      config: { budget: { findingsPerDay: 1000 } },
      begin() {
        for (const hook of ['input', 'output']) {
          nft(`add rule inet loss ${hook} numgen random mod 100 < ${LOST_PERCENT} drop`);
        }
      },
      end() {
        nft('flush table inet loss');
      },
      isCause: ({ name, attributes }) =>
        name.startsWith('system.network.') && attributes['network.interface.name'] === `${line}a`,
    };
  },
};

/** A pair of interfaces; the first one on the host where no namespace is named. */
function pair(aSpace: string | null, a: string, aAddress: string, bSpace: string, b: string, bAddress: string): void {
  const of = (space: string | null): string[] => (space === null ? [] : ['-n', space]);
  sh('ip', ...of(aSpace), 'link', 'add', a, 'type', 'veth', 'peer', 'name', b, 'netns', bSpace);
  for (const [space, name, address] of [
    [aSpace, a, aAddress],
    [bSpace, b, bAddress],
  ] as const) {
    sh('ip', ...of(space), 'addr', 'add', `${address}/24`, 'dev', name);
    sh('ip', ...of(space), 'link', 'set', name, 'up');
  }
}
