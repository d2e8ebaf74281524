/** Facts of published models that a pack's card needs: the token grids of VAREdit and Infinity, by aspect ratio. */
export { oneMegapixelSchedule as publishedSchedule } from '#engine/networks/infinity/ratios.js';
