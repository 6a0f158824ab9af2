import { LabIcon } from '@jupyterlab/ui-components';

/** Two strands and their rungs, in the colour of the theme's icons. */
export const helixIcon = new LabIcon({
  name: 'helix-lab:helix',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M8 6h8v1.5H8zM7 9h10v1.5H7zM7 13.5h10V15H7zM8 16.5h8V18H8z"/>
    <path d="M5 2h2c0 4.6 2 6.6 5.6 9.2C16.700 14 19 17 19 22h-2c0-4.200-1.900-6.600-5.600-9.200C7.400 10 5 7.200 5 2z"/>
    <path d="M17 2h2c0 5.200-2.400 8-6.400 10.800C8.900 15.400 7 17.800 7 22H5c0-5 2.300-8 6.400-10.800C15 8.600 17 6.600 17 2z"/>
  </g>
</svg>`
});
