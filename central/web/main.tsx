/** Entry of the pages. */
import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/fleet.css';
import './styles/machine.css';
import './styles/incident.css';
import './styles/configuration.css';
import './styles/chart.css';
import './styles/mute.css';
import './styles/feedback.css';
import './styles/panels.css';
import './styles/ledger.css';
import './styles/alerts.css';
import './styles/forecast.css';
import { render } from 'preact';
import { App } from './app.tsx';

render(<App />, document.getElementById('app')!);
