"""Writes fixtures/sac_*.txt: what PyTorch's autograd gives for two updates of SAC in a row, as hex floats.

The update is written out from its formulas, in SB3's order and under its conventions (sac.py, train): alpha is the
old one throughout; alpha's loss reads log pi of the actor before its step; both critics learn one target; the actor
is judged by the updated critics; each optimiser is Adam; the targets follow at the end. The log-density is exact,
where SB3 adds 1e-6 inside the correction's logarithm. compare_sb3_sac.py holds the same update to SB3's own.

Each file: starting parameters in our layout (weights (in, out), then bias, layer by layer; the actor's last layer
gives the means, then the raw log sigmas), then for each update its batch and noise, and what it leaves: losses,
gradients, parameters, targets. Everything starts as a float and is computed in double; results are rounded to
floats. Lines: name, count, then the numbers. The configurations are those of tests/unit/rl/test_sac_torch.c.

    python tests/golden/make_sac_fixtures.py

needs torch; the test that reads the files does not.
"""

import dataclasses
import math
import pathlib

import torch

O, A, B = 5, 2, 6
HIDDEN = [8, 7]
ADAM = {"lr": 3e-3, "eps": 1e-8}


@dataclasses.dataclass
class Case:
    seed: int
    learn_alpha: bool = True
    alpha: float = 0.5  # where a learnt one starts
    target_entropy: float = -A
    reward_scale: float = 1
    tau: float = 0.005
    bound: str = "clamp"
    log_sigma: tuple = (-20, 2)
    spread: float = 1  # factor on the actor's last layer


# seeds whose batches have each critic as the smaller one in some rows, and no tiny gradient: Adam's first steps divide
# each gradient by its own size
CASES = {
    "auto": Case(seed=2),
    "fixed": Case(seed=10, learn_alpha=False, alpha=0.3, reward_scale=5, bound="tanh", log_sigma=(-5, 1)),
    "clamped": Case(seed=245, alpha=0.125, target_entropy=-1.25, tau=0.25, log_sigma=(-0.5, 0.25), spread=5),
}


class Net:
    """Linear layers with ReLU between, drawn as floats and held in double."""

    def __init__(self, widths, spread=1):
        linear = [torch.nn.Linear(i, o) for i, o in zip(widths, widths[1:])]
        with torch.no_grad():
            linear[-1].weight.mul_(spread)
        self.param = [p.detach().double().requires_grad_() for layer in linear for p in layer.parameters()]

    def __call__(self, x):
        for i in range(0, len(self.param), 2):
            x = torch.nn.functional.linear(torch.relu(x) if i else x, *self.param[i:i + 2])
        return x

    def flat(self, what=lambda p: p):
        """Parameters, or what they have, in our layout: weights (in, out)."""
        return torch.cat([what(p).t().reshape(-1) for p in self.param])


def sample(case, actor, obs, noise):
    """Squashed action, its log-density, raw log sigma and sigma."""
    mean, raw = actor(obs).split(A, dim=1)
    low, high = case.log_sigma
    log_sigma = raw.clamp(low, high) if case.bound == "clamp" else low + (high - low) * (raw.tanh() + 1) / 2
    sigma = log_sigma.exp()
    u = mean + sigma * noise
    # the normal's own formula, and the correction by the identity 1 - tanh^2 = 1 / cosh^2
    density = torch.distributions.Normal(mean, sigma).log_prob(u).sum(1)
    return u.tanh(), density + 2 * u.cosh().log().sum(1), raw, sigma


class Update:
    """Networks, optimisers and alpha; step() is one update."""

    def __init__(self, case):
        torch.manual_seed(case.seed)
        self.case = case
        self.actor = Net([O, *HIDDEN, 2 * A], case.spread)
        # spread so that the two cross; targets of their own, so that nobody can take one for the other
        self.critic = [Net([O + A, *HIDDEN, 1], 3) for _ in range(2)]
        self.target = [Net([O + A, *HIDDEN, 1], 3) for _ in range(2)]
        self.log_alpha = torch.tensor(math.log(case.alpha)).double().requires_grad_()
        self.actor_adam = torch.optim.Adam(self.actor.param, **ADAM)
        self.critic_adam = torch.optim.Adam(self.critic[0].param + self.critic[1].param, **ADAM)
        self.alpha_adam = torch.optim.Adam([self.log_alpha], **ADAM)

    def state(self):
        return {"actor": self.actor.flat(), "critic0": self.critic[0].flat(), "critic1": self.critic[1].flat(),
                "target0": self.target[0].flat(), "target1": self.target[1].flat(), "log_alpha": self.log_alpha}

    def alpha(self):
        return self.log_alpha.detach().exp() if self.case.learn_alpha else torch.tensor(self.case.alpha).double()

    def learn_critics(self, batch, alpha):
        case = self.case
        with torch.no_grad():
            next_act, next_logp, _, _ = sample(case, self.actor, batch["next_obs"], batch["next_noise"])
            x = torch.cat([batch["next_obs"], next_act], 1)
            first, second = (target(x).squeeze(1) for target in self.target)
            assert (first < second).any() and (second < first).any()
            bootstrap = torch.minimum(first, second) - alpha * next_logp
            y = case.reward_scale * batch["ret"] + batch["discount"] * bootstrap
        x = torch.cat([batch["obs"], batch["act"]], 1)
        first, second = (critic(x).squeeze(1) for critic in self.critic)
        loss = 0.5 * (((first - y) ** 2).mean() + ((second - y) ** 2).mean())
        self.critic_adam.zero_grad()
        loss.backward()
        self.critic_adam.step()
        grad = [critic.flat(lambda p: p.grad) for critic in self.critic]
        return {"critic_loss": loss, "q1": first.mean(), "q2": second.mean(), "q_gap": (first - second).abs().mean(),
                "q_std": first.std(correction=0), "critic_grad_norm": grad[0].norm(), "dcritic0": grad[0],
                "dcritic1": grad[1]}

    def learn_actor(self, batch, alpha):
        act, logp, raw, sigma = sample(self.case, self.actor, batch["obs"], batch["noise"])
        if self.case.bound == "clamp" and self.case.log_sigma[0] > -20:
            low, high = self.case.log_sigma
            assert (raw < low).any() and (raw > high).any() and ((raw > low) & (raw < high)).any() and (act.abs() > 0.99).any()
        x = torch.cat([batch["obs"], act], 1)
        first, second = (critic(x).squeeze(1) for critic in self.critic)
        assert (first < second).any() and (second < first).any()
        loss = (alpha * logp - torch.minimum(first, second)).mean()
        self.actor_adam.zero_grad()
        loss.backward()
        grad = self.actor.flat(lambda p: p.grad)
        result = {"actor_loss": loss, "entropy": -logp.mean(), "std": sigma.mean(),
                  "saturation": (act.abs() > 0.99).double().mean(), "actor_grad_norm": grad.norm(), "dactor": grad}
        self.actor_adam.step()
        return result, logp.detach()

    def learn_alpha(self, logp):
        """Comes last here and first in SB3: alpha is the old one throughout, and so is logp."""
        if not self.case.learn_alpha:
            return {"ent_coef_loss": torch.zeros(1), "dlog_alpha": torch.zeros(1)}
        loss = -(self.log_alpha * (logp + self.case.target_entropy)).mean()
        self.alpha_adam.zero_grad()
        loss.backward()
        self.alpha_adam.step()
        return {"ent_coef_loss": loss, "dlog_alpha": self.log_alpha.grad}

    def step(self, batch):
        alpha = self.alpha()
        result = {"ent_coef": alpha} | self.learn_critics(batch, alpha)
        of_actor, logp = self.learn_actor(batch, alpha)
        result |= of_actor | self.learn_alpha(logp)
        with torch.no_grad():
            for critic, target in zip(self.critic, self.target):
                for p, t in zip(critic.param, target.param):
                    t.copy_((1 - self.case.tau) * t + self.case.tau * p)
        return result


def draw_batch():
    """Row 1 ended in termination; rows 2 and 4 took two steps."""
    discount = torch.full((B,), 0.99)
    discount[1], discount[2], discount[4] = 0, 0.99**2, 0.99**2
    batch = {"obs": torch.randn(B, O), "act": torch.rand(B, A) * 2 - 1, "ret": torch.randn(B), "discount": discount,
             "next_obs": torch.randn(B, O), "noise": torch.randn(B, A), "next_noise": torch.randn(B, A)}
    return {key: value.double() for key, value in batch.items()}


def hexadecimal(value):
    """A float, without the zeros that a double's hexadecimal digits end in."""
    head, exponent = float(value).hex().split("p")
    head = head.rstrip("0").rstrip(".") if "." in head else head
    return f"{head}p{exponent}"


def lines(numbers):
    for key, value in numbers.items():
        values = value.detach().float().reshape(-1).tolist()
        yield f"{key} {len(values)}"
        yield from map(hexadecimal, values)


def main():
    folder = pathlib.Path(__file__).parent / "fixtures"
    for name, case in CASES.items():
        update = Update(case)
        text = list(lines(update.state()))
        for _ in range(2):
            batch = draw_batch()
            text += lines(batch)
            text += lines(update.step(batch))
            text += lines(update.state())
        (folder / f"sac_{name}.txt").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
