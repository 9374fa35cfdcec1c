/** Part of the executables: runs a script that is embedded beside the main one, when it is needed. */
import { getAsset } from 'node:sea';
import { compileFunction } from 'node:vm';

/** @param require the packed program's own, which knows Node's modules */
export function loadEmbeddedScript(asset: string, require: NodeJS.Require): unknown {
  const module = { exports: {} as unknown };
  const run = compileFunction(getAsset(asset, 'utf8'), ['exports', 'require', 'module'], { filename: asset });
  run(module.exports, require, module);
  return module.exports;
}
