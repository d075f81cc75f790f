"""Holds make_sac_fixtures.py's update to stable-baselines3's own SAC.train, quantity by quantity.

Both get the same parameters, batches and noise, in double. Prints the largest relative difference of each quantity
after two updates; SB3's 1e-6 inside the tanh correction's logarithm is first taken out, then left in. Run by hand:

    python tests/golden/compare_sb3_sac.py

needs torch, gymnasium and stable-baselines3.
"""

import dataclasses
import unittest.mock

import gymnasium
import numpy
import stable_baselines3
import stable_baselines3.sac.policies as policies
import torch
from stable_baselines3.common.logger import configure
from stable_baselines3.common.type_aliases import ReplayBufferSamples

import make_sac_fixtures as fixtures

O, A, B = fixtures.O, fixtures.A, fixtures.B


class Spaces(gymnasium.Env):
    """Shapes, and nothing to step."""

    observation_space = gymnasium.spaces.Box(-numpy.inf, numpy.inf, (O,))
    action_space = gymnasium.spaces.Box(-1, 1, (A,))


def make_theirs(case, ours, epsilon):
    kind = {"net_arch": fixtures.HIDDEN, "activation_fn": torch.nn.ReLU}
    alpha = f"auto_{case.alpha}" if case.learn_alpha else case.alpha
    theirs = stable_baselines3.SAC("MlpPolicy", Spaces(), learning_rate=fixtures.ADAM["lr"], tau=case.tau,
                                   ent_coef=alpha, target_entropy=case.target_entropy, policy_kwargs=kind,
                                   buffer_size=1, batch_size=B, device="cpu")
    theirs.set_logger(configure(None, []))
    theirs.policy.double()
    theirs.actor.action_dist.epsilon = epsilon
    for pair in zip(params_of(theirs), params_of_ours(ours)):
        for to, of in zip(*pair, strict=True):
            to.data.copy_(of)
    if case.learn_alpha:
        theirs.log_ent_coef.data = ours.log_alpha.detach().clone().reshape(1)
        theirs.ent_coef_optimizer = torch.optim.Adam([theirs.log_ent_coef], lr=fixtures.ADAM["lr"])
    return theirs


def params_of(theirs):
    """Actor, critics, targets; the actor's two heads apart, as they are kept."""
    actor = list(theirs.actor.latent_pi.parameters()) + list(theirs.actor.mu.parameters())
    nets = [actor + list(theirs.actor.log_std.parameters())]
    return nets + [list(q.parameters()) for net in (theirs.critic, theirs.critic_target) for q in net.q_networks]


def params_of_ours(ours, what=lambda p: p.detach()):
    head = [what(p) for p in ours.actor.param]
    heads = [part for half in range(2) for part in (head[-2][half * A:half * A + A], head[-1][half * A:half * A + A])]
    return [head[:-2] + heads] + [[what(p) for p in net.param] for net in ours.critic + ours.target]


def train(theirs, case, batch):
    """One update of SB3's own, from this batch and this noise."""
    column = {key: batch[key].reshape(-1, 1) for key in ("ret", "discount")}
    data = ReplayBufferSamples(batch["obs"], batch["act"], batch["next_obs"], (column["discount"] == 0).double(),
                               case.reward_scale * column["ret"], column["discount"])
    noise = iter([batch["noise"], batch["next_noise"]])
    # its preprocessing would make floats of the observations
    with unittest.mock.patch("stable_baselines3.common.policies.preprocess_obs", lambda obs, *_, **__: obs), \
            unittest.mock.patch.object(theirs.replay_buffer, "sample", lambda *_, **__: data), \
            unittest.mock.patch.object(torch.distributions.Normal, "rsample",
                                       lambda normal: normal.loc + normal.scale * next(noise)), \
            unittest.mock.patch.multiple(policies, LOG_STD_MIN=case.log_sigma[0], LOG_STD_MAX=case.log_sigma[1]):
        theirs.train(gradient_steps=1, batch_size=B)
    return theirs.logger.name_to_value


def gap(ours, theirs):
    ours = torch.cat([torch.as_tensor(x).detach().reshape(-1) for x in ours])
    theirs = torch.cat([torch.as_tensor(x).detach().reshape(-1) for x in theirs])
    return ((ours - theirs).abs().max() / ours.abs().max()).item()


def compare(name, case, epsilon):
    ours = fixtures.Update(case)
    random = torch.get_rng_state()
    theirs = make_theirs(case, ours, epsilon)
    torch.set_rng_state(random)
    worst = {}
    for _ in range(2):
        batch = fixtures.draw_batch()
        result, figures = ours.step(batch), train(theirs, case, batch)
        gaps = {key: gap([result[key]], [figures["train/" + key]])
                for key in ("critic_loss", "actor_loss", "ent_coef", "ent_coef_loss") if "train/" + key in figures}
        nets = zip(("actor", "critic0", "critic1", "target0", "target1"), params_of_ours(ours), params_of(theirs))
        for net, mine, other in nets:
            gaps[net] = gap(mine, other)
        # the critics' hold by now what the actor's loss added behind their step
        gaps["dactor"] = gap(params_of_ours(ours, lambda p: p.grad)[0], [p.grad for p in params_of(theirs)[0]])
        if case.learn_alpha:
            gaps["log_alpha"] = gap([ours.log_alpha], [theirs.log_ent_coef])
        worst = {key: max(value, worst.get(key, 0)) for key, value in gaps.items()}
    print(f"{name}, epsilon {epsilon:g}: " + ", ".join(f"{key} {value:.1e}" for key, value in worst.items()))


def main():
    for epsilon in (0, 1e-6):
        for name, case in fixtures.CASES.items():
            # SB3 has no bound by tanh; a seed that suits the other one
            if case.bound == "tanh":
                case = dataclasses.replace(case, bound="clamp", log_sigma=(-20, 2), seed=13)
            compare(name, case, epsilon)


if __name__ == "__main__":
    main()
