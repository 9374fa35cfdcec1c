/** Every kind of detector, by name. A new one is one file and one line here. */
import type { DetectorKind } from './detector.ts';
import { disagree } from './disagree.ts';
import { drift } from './drift.ts';
import { frozen } from './frozen.ts';
import { group } from './group.ts';
import { late } from './late.ts';
import { missing } from './missing.ts';
import { noisy } from './noisy.ts';
import { quantised } from './quantised.ts';
import { range } from './range.ts';
import { saturated } from './saturated.ts';
import { seasonal } from './seasonal.ts';
import { stuck } from './stuck.ts';
import { surprise } from './surprise.ts';
import { timeToFull } from './time-to-full.ts';

/** Parameters and state of a kind are its own; whoever goes by name hands them back unread. */
// biome-ignore lint/suspicious/noExplicitAny: one map of kinds whose parameters and states differ
export type AnyDetectorKind = DetectorKind<any, any>;

export const detectorKinds: Readonly<Record<string, AnyDetectorKind>> = {
  surprise,
  stuck,
  missing,
  saturated,
  drift,
  quantised,
  noisy,
  range,
  late,
  frozen,
  disagree,
  seasonal,
  group,
  forecast: timeToFull,
};
