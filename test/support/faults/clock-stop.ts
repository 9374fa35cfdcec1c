/**
 * A time service that ends: systemd-timesyncd in namespaces of its own, with a time server that tells this machine's
 * own time. It runs without the right to set the clock. What systemd takes away with the service (its RuntimeDirectory)
 * is taken away here as well.
 */
import { join } from 'node:path';
import { type Fault, sh } from './fault.ts';

const SERVICE = '/lib/systemd/systemd-timesyncd';

/** RFC 4330, as far as it takes to be believed. */
const timeServer = `
const socket = require('dgram').createSocket('udp4');
const EPOCHS_S = 2208988800;
socket.on('message', (asked, from) => {
  const answer = Buffer.alloc(48);
  answer.set([0x24, 1, asked[2], 0xec]);
  answer.write('GPS', 12, 'latin1');
  asked.copy(answer, 24, 40, 48);
  const ms = Date.now();
  for (const at of [16, 32, 40]) {
    answer.writeUInt32BE(Math.floor(ms / 1000) + EPOCHS_S, at);
    answer.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), at + 4);
  }
  socket.send(answer, from.port, from.address);
});
socket.bind(123, '127.0.0.1', () => console.log('listening'));
`;

/** Its input says when the service is to end; its output says what it has come to. */
const scene = `
set -e
ip link set lo up
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib/systemd
user=systemd-timesync
install -d -o $user -g $user /run/systemd/timesync /var/lib/systemd/timesync
install -d /run/systemd/netif
printf '[Time]\\nNTP=127.0.0.1\\n' > /run/timesyncd.conf
mount --bind /run/timesyncd.conf /etc/systemd/timesyncd.conf
"$1" -e "$2" > /run/server.out & server=$!
until grep -q listening /run/server.out; do sleep 0.1; done
run() { setpriv --reuid=$user --regid=$user --clear-groups ${SERVICE} & service=$!; }
run
until [ -e /run/systemd/timesync/synchronized ]; do sleep 0.1; done
echo synchronized
while :; do
until [ -e "$3/stop" ]; do sleep 0.1; done
rm "$3/stop"
kill $service; wait $service || true
rm -r /run/systemd/timesync
echo stopped
until [ -e "$3/start" ]; do sleep 0.1; done
rm "$3/start"
install -d -o $user -g $user /run/systemd/timesync
run
until [ -e /run/systemd/timesync/synchronized ]; do sleep 0.1; done
echo again
done
`;

export const clockStop: Fault = {
  name: 'stopped clock synchronisation',
  async setUp({ system }) {
    const orders = system.path('clock-orders');
    const script = system.write('clock-scene.sh', scene);
    const command = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', 'bash', script];
    const service = system.start('time-service', [...command, process.execPath, timeServer, orders]);
    await service.said(/^synchronized/m);
    return {
      inputs: { 'linux.clock': { interval: '1s' } },
      config: {
        host: { root: `/proc/${childOf(service.pid)}/root` },
        // As shipped, but for how long it may last: a quarter of an hour.
        rules: { 'clock-synchronisation-stopped': { for: '5s' } },
      },
      begin: async () => {
        system.write(join('clock-orders', 'stop'), '');
        await service.said(/^stopped/m);
      },
      end: async () => {
        system.write(join('clock-orders', 'start'), '');
        await service.said(/^again/m);
      },
      isCause: ({ name }) => name.startsWith('system.clock.'),
    };
  },
};

/** The process that unshare forked: the first one in the namespaces. */
function childOf(pid: number): number {
  return Number(sh('cat', `/proc/${pid}/task/${pid}/children`).trim().split(' ')[0]);
}
