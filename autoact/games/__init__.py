"""Text games as an environment of episodes: an episode plays one game of TextWorld (Cote et al., 2018).

Begin with `name`, then `environment`; `textworld_game` runs in a process of its own.

Other tasks of this kind fit the same protocol (autoact/environment.py). Each needs a row in
autoact/registry/environments.py, and a function that returns the tasks, the actions as tools, and the environments:

- WebShop needs its shop as a local server, with its products and search index. The question is the instruction; the
  actions are `Search` and `Click`; a page's buttons are listed after `You can:`; buying ends the episode with WebShop's
  reward, which is already a share. A product page is longer than an observation may be, so it has to be shortened.
- ALFWorld's textual part is TextWorld with its own rules, in games that have to be downloaded (its data set, and the
  planner of TextWorld's extra `pddl`). `textworld_game` would have to load such a file instead of making a game, and
  take the engine's own texts; the actions would be ALFWorld's verbs.
"""
