/** The child in which forecasts are made (`central/forecast/child.ts` starts it). */
import { setPriority } from 'node:os';
import { ArimaBroken } from '../forecast/arima.ts';
import type { ForecastAnswer } from '../forecast/child.ts';
import { type OutlookTask, outlookOf } from '../forecast/outlook.ts';
import type { CentralCommand } from './context.ts';

const LOWEST_PRIORITY = 19;

export const forecastCommand: CentralCommand = {
  usage: 'make-forecasts',
  doc: 'Makes forecasts of series that its parent sends.',
  hidden: true,
  run: () => {
    setPriority(LOWEST_PRIORITY);
    return new Promise((resolve) => {
      process.on('message', (task: OutlookTask) => process.send?.(answerTo(task)));
      process.once('disconnect', () => resolve(0));
    });
  },
};

function answerTo(task: OutlookTask): ForecastAnswer {
  try {
    return { outlook: outlookOf(task) };
  } catch (error) {
    if (!(error instanceof ArimaBroken)) throw error;
    return { outlook: null, broken: true };
  }
}
