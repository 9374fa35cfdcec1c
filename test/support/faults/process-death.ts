/** A process that somebody wants to be running, and that dies. */
import { type Fault, quick } from './fault.ts';

export const processDeath: Fault = {
  name: 'a process that dies',
  setUp({ system }) {
    // The directory tells it from those of other tests.
    const mark = `picket-watched ${system.directory}`;
    const start = () => system.start('watched', [process.execPath, '-e', 'setInterval(() => {}, 1000)', mark]);
    let watched = start();
    const watch = [{ name: 'pump-control', command: `*${mark}*` }];
    return {
      inputs: { process: { ...quick, watch } },
      needs: { process: { watch } },
      begin: async () => {
        await watched.end('SIGKILL');
      },
      end: () => {
        watched = start();
      },
      isCause: ({ name, attributes }) =>
        name.startsWith('process.watched.') && attributes['process.watched.name'] === 'pump-control',
    };
  },
};
