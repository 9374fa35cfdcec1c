/** The figures of a run: tables for people, JSON for what compares runs. */
import { printTable } from '../detect/table.ts';
import type { Plan } from './plan.ts';
import { phases, type RunResult } from './replayed.ts';
import { perWeek, recall, type Tally } from './score.ts';

const HOUR_ROWS = 60;

/** What `--json` writes. */
export function figuresOf(result: RunResult) {
  const { fleet, alone, dayOne, alonesDayEight, trainedDayEight, forecast, rounds, joined, stored, labelled } = result;
  const each = (of: (tally: Tally) => number, tallies = fleet) =>
    Object.fromEntries(phases.map((phase) => [phase, of(tallies[phase])]));
  const last = rounds.at(-1)!.steps.at(-1)!;
  return {
    false_per_machine_week: each(perWeek),
    recall: each(recall),
    never_trained: { false_per_machine_week: each(perWeek, alone), recall: each(recall, alone) },
    day_one: {
      cohort: perWeek(dayOne) / 7,
      alone_day_seven: perWeek(alonesDayEight) / 7,
      own_model_day_seven: perWeek(trainedDayEight) / 7,
      machine_hours: dayOne.clearRows / HOUR_ROWS,
      machines: joined.machines,
      with_model: joined.withModel,
      hours_to_model: joined.hoursToModel,
    },
    forecast: {
      mase: forecast.mase,
      naive_mase: forecast.naiveMase,
      coverage90: forecast.coverage90,
      cases: forecast.cases,
    },
    round: { seconds: last.seconds, rss_mb: last.rssMb, machines: last.machines },
    rounds: rounds.map(({ day, steps, trained, released, running }) => ({ day, steps, trained, released, running })),
    labelled,
    incidents: { at_agents: stored.atAgents, at_central: stored.atCentral },
  };
}

export function print(result: RunResult, plan: Plan): void {
  const { fleet, alone, falseBy, rounds, forecast, joined, stored } = result;
  const names = {
    before: `before training (day 0 to ${plan.trainDay})`,
    after: `after (day ${plan.trainDay} to ${plan.feedbackDay})`,
    feedback: `after feedback (day ${plan.taughtDay} to ${plan.days})`,
  };
  const rows = (of: (tally: Tally, never: Tally) => Record<string, number>) =>
    Object.fromEntries(phases.map((phase) => [names[phase], of(fleet[phase], alone[phase])]));
  printTable(
    'false incidents a machine-week; the same machines without a central',
    rows((tally, never) => ({
      false: perWeek(tally),
      'never trained': perWeek(never),
      incidents: tally.false,
      'machine-days': tally.clearRows / (24 * HOUR_ROWS),
    })),
  );
  printTable(
    'injected faults that were found',
    rows((tally, never) => ({
      recall: recall(tally),
      'never trained': recall(never),
      faults: tally.faults,
      found: tally.found,
    })),
  );
  const kinds = Object.keys(fleet.before.kinds).sort();
  const share = (tally: Tally, kind: string): number => {
    const one = tally.kinds[kind];
    return one === undefined ? Number.NaN : one.found / one.faults;
  };
  const ofKind = (tally: Tally) => Object.fromEntries(kinds.map((kind) => [kind, share(tally, kind)]));
  printTable('the same, by kind', rows(ofKind));
  printTable(
    'the same, by kind, never trained',
    Object.fromEntries(phases.map((phase) => [names[phase], ofKind(alone[phase])])),
  );
  const detectors = [...new Set(phases.flatMap((phase) => Object.keys(falseBy[phase])))].sort();
  printTable(
    'false incidents, by what found them first',
    Object.fromEntries(
      phases.map((phase) => [
        names[phase],
        Object.fromEntries(detectors.map((one) => [one, falseBy[phase][one] ?? 0])),
      ]),
    ),
  );
  const ofDay = (tally: Tally) => ({
    'a machine-day': perWeek(tally) / 7,
    incidents: tally.false,
    'machine-hours': tally.clearRows / HOUR_ROWS,
  });
  printTable('false incidents of a day', {
    'first day, with the cohort': ofDay(result.dayOne),
    'the same day, after seven alone': ofDay(result.alonesDayEight),
    'fleet, two days after its first model': ofDay(result.trainedDayEight),
  });
  const hours = Number.isNaN(joined.hoursToModel) ? '' : `, within ${joined.hoursToModel.toFixed(1)} h (mean)`;
  console.log(`(${joined.withModel} of ${joined.machines} new machines had a model on their first day${hours})`);
  printTable('forecasts of a day by hours', {
    'the central': { MASE: forecast.mase, 'within 90 %': forecast.coverage90, cases: forecast.cases },
    'as yesterday': { MASE: forecast.naiveMase, 'within 90 %': Number.NaN, cases: forecast.cases },
  });
  printTable(
    'training rounds',
    Object.fromEntries(
      rounds.map(({ day, steps, trained, released, running }) => {
        const { seconds, rssMb } = steps.at(-1)!;
        return [`day ${day}`, { trained, released, 'machines with one': running, seconds, 'RSS MB': rssMb }];
      }),
    ),
  );
  for (const { day, reasons } of rounds)
    for (const reason of reasons.slice(0, 3)) console.log(`(day ${day}: ${reason})`);
  printTable(
    'the last round, as it grew',
    Object.fromEntries(
      rounds
        .at(-1)!
        .steps.map(({ machines, seconds, rssMb }) => [`${machines} machines`, { seconds, 'RSS MB': rssMb }]),
    ),
  );
  console.log(
    `\n(${stored.atAgents} incidents at the machines, ${stored.atCentral} at the central; ${result.labelled} judged)`,
  );
}
