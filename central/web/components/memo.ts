/** A component that is drawn again only when one of its properties is another one. */
import { Component, type ComponentType, type FunctionComponent, h } from 'preact';

export function memo<P extends object>(inner: FunctionComponent<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const before = this.props as Record<string, unknown>;
      return Object.entries(next).some(([name, value]) => !Object.is(value, before[name]));
    }

    override render() {
      return h(inner as FunctionComponent<object>, this.props);
    }
  };
}
