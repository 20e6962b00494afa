"""An RSA key of 8,192 bits for tests: making one takes a minute. It protects nothing."""

from functools import cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

__all__ = ["large_rsa_key"]

_EXPONENT: Final = 65537
_P: Final = int(
    "ed52407afff2c118ad46420c5e7a937956f933e45bfdb4df053437fe43832e34c1b873c63fd8f64b32e6f721515d9c5f3a9f"
    "c40e273ff9fdacdf66e3749d31bd65dace290e451917fb43c42fefcdb643e4ea2bfcaa599971aba8198728d112b629cb92f6"
    "9f3798184b17a0f4943f28d28ed80609f9b3014d84bd032f6b58e03a3335d4f2bb70e99cc11c1fc2f4876dbda06b2089b5a5"
    "83ae73b466f1d463cf10331a2f8b845a6b56f67b39b941e83a34cb1042de96ee7bde3c3c79b7a212004609c6dc4432cb3ee1"
    "56f7511a30dc8c7f8504c5e2a544e8aacf3ab2027973d061eb485fc3851d7d7b5580e16f22393c15ecf7190d291ab89a1197"
    "e4b639c83298b34935665514ee1e56cb20a061a3375e826b52e5774e29ee9c18cedd25a0667468430bec44c7beea3d3dfa11"
    "ae4493fa839de6ec1d6ff8e5ed2b7a9f7bbc174a6f51372c9cb2f3703723b46e170d6d9e8b0ae6954213e2f900c5a4a71a0c"
    "fd0a3297cc63cb1a711ebba78aac15c8d4095b058f42830c51b994cb1e76ec8056ef5a2ceac1656c121f4ec39d16e390b22f"
    "2d7c41409a75dc63087af0656ec2df8c746e6964184d7b6e72d57e4c8f5f9e6a89230f4fc3b01406d8ec99c36c7f354dac53"
    "a17ba3f2885e887ebab7912927375eb08c44e3bfe568f33afa86ca8868cab45654d02cbdf93b5a5af33cab97cf1a2ec74a7f"
    "a4a28551623d39d74b5eef73",
    16,
)
_Q: Final = int(
    "e420b64fb04c48532a6dc6d3faeda13b577b0d9ba068cd8a95eeaf6d56a38289f49a10f74a70aa9a646bd1e763b2e2738c23"
    "8e5b8d182ae83e902ec8c3911bd34ae019bcfd36c25bb0a05851a1acd612d6d83223160604a333c86e603743afc050984d8a"
    "e986ddc9c043f4383fbee6c9500476e56b5bfe72fbbae8e4cc1d3ed348d9c87c7c8634ccc10b4a3693c19538ff9eddf1d1ec"
    "39ee16e02df8c01d12ae22e30bb61f15e0ba707350d3c8de34eca100c1419a6f5121b017614a3bb777db54c1ff5b89a9be97"
    "2ea7d605d9c93ea7fdef49dfdedb53481e09eb44ac5a66b7f63bb077b5c96673026eaabfb7bd804e3270c37c6030bfa6b75f"
    "3c93dd196e76753ed8d0478c52601ba383c084e4b55aae070e08cad833251814ad8f661790796d5127a87c2719fd2b3123c3"
    "bd668b0fd44a150f287e0610159c2e84170f2521f195c10f4e03f49b2f7c03994f9dfe33855104e947853d17f97c44e5aa44"
    "b3db386e9acf9d941a0c502663ea63a6d08b73d7e157c18c70566aa9b3c61556cf43246214311093afa66c880234a5a941f2"
    "a4d9185a1bd09893076b6bacf71d2c8bfda5affdb2f41334ee779d0ff48bd6b4f039d729cb9a1a143e3768115a0aa8978cc5"
    "e6b6ea10b5891f31096df5fc5860168ec0df80b0470e5149ea11c2152119d65eb419de307b7f07d5369c7321dd67bb733f6a"
    "fdf47c6f6994f9598dfaec77",
    16,
)


@cache
def large_rsa_key() -> rsa.RSAPrivateKey:
    """Return the key, always the same one.

    That its numbers are primes is not proven again, which takes seconds: whoever reads its PEM does that.
    """
    exponent = pow(_EXPONENT, -1, (_P - 1) * (_Q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=_P,
        q=_Q,
        d=exponent,
        dmp1=rsa.rsa_crt_dmp1(exponent, _P),
        dmq1=rsa.rsa_crt_dmq1(exponent, _Q),
        iqmp=rsa.rsa_crt_iqmp(_P, _Q),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, _P * _Q),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)
