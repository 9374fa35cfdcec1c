import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ForecastChild } from './child.ts';

const main = join(import.meta.dirname, '..', 'main.ts');
const task = {
  column: Float64Array.from({ length: 120 }, (_, hour) => 0.3 + 0.0005 * hour + 0.002 * Math.sin(hour * hour)),
  season: 7,
  horizon: 24,
  lowest: 0,
  highest: 1,
};

let child: ForecastChild;
afterEach(() => child.end());

test('the program itself makes forecasts as a child, again after it was ended', async () => {
  child = new ForecastChild([process.execPath, main, 'make-forecasts']);
  const outlook = await child.outlook(task);
  expect(outlook!.value[0]).toBeCloseTo(0.36, 2);
  child.end();
  expect(await child.outlook(task)).toEqual(outlook);
  expect(await child.outlook({ ...task, column: new Float64Array(10) })).toBeNull();
}, 60_000);

test('a child that dies or takes too long fails one forecast', async () => {
  child = new ForecastChild([process.execPath, '-e', 'process.once("message", () => process.exit(3))']);
  await expect(child.outlook(task)).rejects.toThrow('its process ended');
  child = new ForecastChild([process.execPath, '-e', 'process.on("message", () => {})'], 500);
  await expect(child.outlook(task)).rejects.toThrow('longer than');
}, 60_000);
