/** A child of `backlog.ts`: the embedded broker alone, whose reader throws all away. Prints its port. */
import { startBroker } from '../../central/broker.ts';
import { silentLog } from './backlog-fill.ts';

const broker = await startBroker(
  { host: '127.0.0.1', port: 0, prefix: 'picket/1', tls: null, authenticate: (username) => username, log: silentLog },
  { connected: () => {}, message: () => {} },
);
console.log(`port ${broker.port}`);
