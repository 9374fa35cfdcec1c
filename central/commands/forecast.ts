/** The child in which forecasts are made (`central/forecast/child.ts` starts it). */
import { setPriority } from 'node:os';
import type { ForecastAnswer } from '../forecast/child.ts';
import type { OutlookTask } from '../forecast/outlook.ts';
import type { CentralCommand } from './context.ts';

const LOWEST_PRIORITY = 19;

export const forecastCommand: CentralCommand = {
  usage: 'make-forecasts',
  doc: 'Makes forecasts of series that its parent sends.',
  hidden: true,
  async run() {
    setPriority(LOWEST_PRIORITY);
    // Here alone: the library takes memory, and handles errors of the whole process in its own way.
    const { ArimaBroken } = await import('../forecast/arima.ts');
    const { outlookOf } = await import('../forecast/outlook.ts');
    const answerTo = (task: OutlookTask): ForecastAnswer => {
      try {
        return { outlook: outlookOf(task) };
      } catch (error) {
        if (!(error instanceof ArimaBroken)) throw error;
        return { outlook: null, broken: true };
      }
    };
    process.on('message', (task: OutlookTask) => process.send?.(answerTo(task)));
    await new Promise<void>((resolve) => {
      if (process.connected) process.once('disconnect', resolve);
      else resolve();
    });
    return 0;
  },
};
